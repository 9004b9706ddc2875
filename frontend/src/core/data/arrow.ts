// With the library's tables the workers would be over their budget. Two columns of plain numbers need none: its
// reader of messages will do, which is half of it.
import { decodeIPC } from "@uwdata/flechette/src/decode/decode-ipc.js";
import type { HeatMeta } from "./types";

/** One answer of heat cells, as the server's Arrow stream has it. */
export interface HeatCells {
  meta: HeatMeta;
  /** H3 ids as pairs of 32 bits, the lower half first, ascending: what h3 works on without any text */
  ids: Uint32Array<ArrayBuffer>;
  /** the value of each cell */
  values: Uint32Array<ArrayBuffer>;
}

const FIELDS = "cell:64 value:32";

/**
 * Heat cells of an Arrow IPC stream with one batch of `cell` uint64 and `value` uint32, none of them null.
 * The arrays are views of its bytes: Arrow's numbers are little-endian, as those of any machine with a browser.
 *
 * @throws Error where it is something else
 */
export function cellsOf(stream: ArrayBuffer): HeatCells {
  const { schema, records } = decodeIPC(stream);
  const { body, length = 0, regions = [], compression } = records?.[0] ?? {};
  const fields = schema?.fields.map(({ name, type }) => `${name}:${"bitWidth" in type && type.bitWidth}`);
  if (fields?.join(" ") !== FIELDS || !body || compression) throw new Error("not a stream of heat cells");
  // Each column has two buffers, of which the first would say what is null.
  const words = (buffer: number, count: number) =>
    new Uint32Array(stream, body.byteOffset + (regions[buffer]?.offset ?? 0), count);
  return {
    meta: metaOf(schema?.metadata ?? new Map()),
    ids: words(1, 2 * length),
    values: words(3, length),
  };
}

/** Metadata is texts alone. */
function metaOf(told: ReadonlyMap<string, string>): HeatMeta {
  const text = (name: string) => told.get(name) ?? "";
  return {
    layer: text("layer"),
    from: text("from"),
    to: text("to"),
    res: Number(text("res")),
    unit: text("unit"),
    total: Number(text("total")),
    version: Number(text("version")),
    as_of: told.get("as_of") ?? null,
    set: text("set"),
  };
}
