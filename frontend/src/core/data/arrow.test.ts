import { h3IndexToSplitLong } from "h3-js";
import { describe, expect, it } from "vitest";
import golden from "../../../../tests/golden/cells.json";
import { cellsOf } from "./arrow";

const streamOf = (base64: string) => Uint8Array.from(atob(base64), (text) => text.charCodeAt(0)).buffer;

describe("the server's stream of cells", () => {
  it.each(golden)("is read without loss: $what", ({ stream, cells, values, told }) => {
    const read = cellsOf(streamOf(stream));
    expect([...read.ids]).toEqual(cells.flatMap(h3IndexToSplitLong));
    expect([...read.values]).toEqual(values);
    expect(read.meta).toEqual({
      as_of: null,
      ...told,
      res: Number(told.res),
      total: Number(told.total),
      version: Number(told.version),
    });
  });

  it("is told from something else", () => {
    expect(() => cellsOf(new TextEncoder().encode("<html>of a proxy</html>").buffer)).toThrow();
  });
});
