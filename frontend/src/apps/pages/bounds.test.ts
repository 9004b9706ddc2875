import { describe, expect, it } from "vitest";
import { boundsOf } from "./bounds";

describe("the bounds of geometries", () => {
  it("hold every position, however deep it lies", () => {
    const ring = [
      [1, 2],
      [3, 9],
      [1, 2],
    ];
    expect(
      boundsOf([
        { type: "Point", coordinates: [5, 5] },
        { type: "MultiPolygon", coordinates: [[ring]] },
        { type: "GeometryCollection", geometries: [{ type: "LineString", coordinates: [[-4, 3]] }] },
      ]),
    ).toEqual([-4, 2, 5, 9]);
  });

  it("are none where nothing has a place", () => {
    expect(boundsOf([null])).toBeNull();
    expect(boundsOf([{ type: "MultiPoint", coordinates: [] }])).toBeNull();
  });
});
