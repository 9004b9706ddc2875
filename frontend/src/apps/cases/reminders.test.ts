import { describe, expect, it } from "vitest";
import type { Reminder } from "../../core/data/types";
import { withOne, without } from "./reminders";

const told = (id: number, colour: Reminder["colour"]): Reminder => ({
  id,
  colour,
  category: "theft",
  due_at: null,
  to: "unit",
});

describe("reminders", () => {
  it("tell of a case once, by its latest colour, newest first", () => {
    const all = [told(1, "warn"), told(2, "warn"), told(1, "red")].reduce(withOne, []);
    expect(all.map(({ id, colour }) => `${id} ${colour}`)).toEqual(["1 red", "2 warn"]);
    expect(without(all, 1)).toEqual([told(2, "warn")]);
  });

  it("do not grow for ever", () => {
    const all = Array.from({ length: 500 }, (_, id) => told(id, "warn")).reduce(withOne, [] as Reminder[]);
    expect([all.length, all[0]?.id]).toEqual([200, 499]);
  });
});
