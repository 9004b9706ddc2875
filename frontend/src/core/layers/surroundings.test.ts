import type { MultiPolygon, Position } from "geojson";
import { describe, expect, it } from "vitest";
import { surroundingsOf } from "./surroundings";

/** A square from (at, at) to (at + size, at + size), closed as GeoJSON wants it. */
const square = (at: number, size: number): Position[] => [
  [at, at],
  [at + size, at],
  [at + size, at + size],
  [at, at + size],
  [at, at],
];

const shape = (...coordinates: Position[][][]): MultiPolygon => ({ type: "MultiPolygon", coordinates });

/** Grounds without the world's own ring. */
function groundsOf(...shapes: MultiPolygon[]): { holes: Position[][]; gaps: Position[][][] } {
  const [world = [], ...gaps] = surroundingsOf(shapes).coordinates;
  return { holes: world.slice(1), gaps };
}

describe("what surrounds a city", () => {
  it("is the world as far as the map reaches, without the city", () => {
    const city = square(10, 4);
    const [[world = [], ...holes] = [], ...more] = surroundingsOf([shape([city])]).coordinates;
    expect(world.map(([lon = 0]) => Math.abs(lon))).toEqual([180, 180, 180, 180, 180]);
    expect(world.map(([, lat = 0]) => Math.round(Math.abs(lat)))).toEqual([85, 85, 85, 85, 85]);
    expect(world[4]).toEqual(world[0]);
    expect(holes).toEqual([city]);
    expect(more).toEqual([]);
  });

  it("leaves out each part of a city, and each of several areas", () => {
    const [main, island, next] = [square(10, 4), square(20, 1), square(30, 2)];
    expect(groundsOf(shape([main], [island]), shape([next]))).toEqual({
      holes: [main, island, next],
      gaps: [],
    });
  });

  it("has the gaps in a city", () => {
    const [city, lake, enclave] = [square(10, 9), square(11, 2), square(15, 1)];
    expect(groundsOf(shape([city, lake, enclave]))).toEqual({ holes: [city], gaps: [[enclave], [lake]] });
  });

  it("leaves out an island in the gap that it lies in, however deep", () => {
    const [city, lake, island, pond, rock] = [
      square(10, 9),
      square(11, 7),
      square(12, 5),
      square(13, 3),
      square(14, 1),
    ];
    expect(groundsOf(shape([rock], [island, pond], [city, lake]))).toEqual({
      holes: [city],
      gaps: [
        [pond, rock],
        [lake, island],
      ],
    });
  });

  it("leaves out an area that fills the gap in another or touches its shore", () => {
    const [city, gap] = [square(10, 9), square(11, 2)];
    const [filling, onShore] = [square(11, 2), square(11, 1)];
    expect(groundsOf(shape([city, gap]), shape([filling])).gaps).toEqual([[gap, filling]]);
    expect(groundsOf(shape([city, gap]), shape([onShore])).gaps).toEqual([[gap, onShore]]);
  });

  it("takes an area outside for no island, though it touches a city at a corner", () => {
    const [city, gap, beside] = [square(10, 9), square(11, 8), square(19, 3)];
    expect(groundsOf(shape([city, gap]), shape([beside]))).toEqual({ holes: [city, beside], gaps: [[gap]] });
  });
});
