import { type ApiProblem, getCity, getTileVersion, problemOf } from "../../core/data/api";
import {
  getCase,
  getChoices,
  getDuplicates,
  getQueue,
  getWorkflows,
  postMove,
  type Told,
} from "../../core/data/cases";
import { type Link, LiveFeed } from "../../core/data/live";
import type { CaseFile, CaseRow, Choices, City, Duplicate, Reminder, Workflow } from "../../core/data/types";
import type { ServerClock } from "../../core/state/clock.svelte";
import { AGAIN_MS } from "../../core/state/latest";
import { withOne, without } from "./reminders";

/** Moves may come many a second; the queue follows at most this often. */
const REFRESH_MS = 700;

const SEATED = ["dispatcher", "admin"];

/**
 * The queue and the open case as the server tells them. What is shown stays while something newer is
 * under way, and where it does not come: then `problem` says why.
 */
export class Desk {
  city = $state.raw<City | null>(null);
  workflows = $state.raw<Workflow[]>([]);
  choices = $state.raw<Choices>({ units: [] });
  cases = $state.raw<CaseRow[]>([]);
  /** where the queue goes on, null at its end */
  next = $state.raw<string | null>(null);
  /** how many cases the queue has; null where they are too many to count */
  total = $state.raw<number | null>(null);
  /** terms that reached a colour since the desk is open, and that nobody has seen to */
  reminders = $state.raw<readonly Reminder[]>([]);
  /** the queue of the present filters is not here yet */
  loading = $state(true);
  file = $state.raw<CaseFile | null>(null);
  twins = $state.raw<Duplicate[]>([]);
  /** why the open case could not be had */
  missing = $state.raw<ApiProblem | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  link = $state<Link>("connecting");
  /** server time, ms, of the last good answer or beat */
  goodAt = $state(0);
  tiles: string | undefined;

  /** registers and moves cases; others only read them */
  readonly seated = $derived(SEATED.includes(this.city?.audience.role ?? "public"));

  private asked: Readonly<Record<string, string>> = {};
  private openId: number | null = null;
  /** the case whose move is under way */
  private moving: number | null = null;
  /** that case was heard of meanwhile */
  private heard = false;
  private turn = 0;
  private growing = false;
  private refreshing: ReturnType<typeof setTimeout> | null = null;
  /** cases have changed, and none of them was named yet */
  private unnamed = false;
  /** so many have changed at once that none is named */
  private many = false;

  constructor(private readonly clock: ServerClock) {}

  /** Loads what stays the same while the page is open, trying until the server answers. */
  async start(): Promise<void> {
    while (!this.city) {
      const city = await this.guard(getCity);
      if (city) {
        this.clock.set(city.now, city.replay?.speed ?? null);
        this.workflows = (await this.guard(getWorkflows)) ?? [];
        this.tiles = (await getTileVersion("areas").catch(() => null))?.v;
        this.city = city;
      } else await wait(AGAIN_MS);
    }
    if (this.city.audience.role === "public") {
      this.loading = false;
      return;
    }
    await this.learn();
    new LiveFeed({
      link: (link) => {
        this.link = link;
      },
      time: (now, replay) => {
        this.clock.set(now, replay);
        this.goodAt = this.clock.real;
      },
      layer: ({ layer }) => {
        if (layer !== "cases") return;
        this.many ||= this.unnamed;
        this.unnamed = true;
        this.refreshSoon();
      },
      heat: () => {},
      incident: () => {},
      case: ({ id }) => {
        this.unnamed = false;
        this.refreshSoon();
        this.reminders = without(this.reminders, id);
        if (id === this.openId) void this.reopen();
      },
      reminder: (one) => {
        this.reminders = withOne(this.reminders, one);
        if (one.id === this.openId) void this.reopen();
      },
      reset: () => void this.again(),
    }).start();
  }

  /** Shows the queue of other filters. */
  async show(asked: Readonly<Record<string, string>>): Promise<void> {
    this.asked = asked;
    this.loading = true;
    await this.refresh(0);
  }

  /** The next cases of the queue, where there are any. */
  async more(): Promise<void> {
    if (this.growing || this.loading || this.next === null) return;
    const turn = this.turn;
    this.growing = true;
    const page = await this.guard(() => getQueue(this.asked, 1, this.next));
    this.growing = false;
    if (!page || turn !== this.turn) return;
    const known = new Set(this.cases.map(({ id }) => id));
    this.cases = [...this.cases, ...page.cases.filter(({ id }) => !known.has(id))];
    this.next = page.next;
  }

  /** Opens a case, or none. */
  async open(id: number | null): Promise<void> {
    if (id === this.openId) return;
    this.openId = id;
    if (id !== null) this.reminders = without(this.reminders, id);
    this.file = null;
    this.missing = null;
    this.twins = [];
    await this.reopen();
  }

  /**
   * Makes a move from the version that was seen. What is heard of the case before the answer is most
   * likely the move itself, and is asked for again after it.
   * @throws ApiProblem, 409 where the case has moved on
   */
  async make(id: number, move: string, version: number, told: Told): Promise<CaseFile> {
    this.moving = id;
    try {
      return await postMove(id, move, version, told);
    } finally {
      this.moving = null;
      if (this.heard) void this.reopen();
      this.heard = false;
    }
  }

  /** Takes the case as a move has made it. */
  take(file: CaseFile): void {
    if (file.case.id === this.openId && file.case.version >= (this.file?.case.version ?? 0)) this.file = file;
    this.cases = this.cases.map((each) => (each.id === file.case.id ? file.case : each));
    this.refreshSoon();
  }

  /** Asks for the open case again. */
  async reopen(): Promise<void> {
    const id = this.openId;
    if (id === null) return;
    try {
      const file = await getCase(id);
      if (id !== this.openId) return;
      if (id === this.moving) {
        this.heard = true;
        return;
      }
      if (file.case.version >= (this.file?.case.version ?? 0)) this.file = file;
      this.missing = null;
    } catch (cause) {
      const problem = problemOf(cause);
      if (id !== this.openId) return;
      if (problem.status === 404) this.file = null; // what is sensitive by now is not to be seen any longer
      if (!this.file) this.missing = problem;
      if (problem.status === 0) setTimeout(() => id === this.openId && void this.reopen(), AGAIN_MS);
      return;
    }
    const suggests = this.seated && this.file?.case.open && this.file.case.merged_into === null;
    const twins = suggests ? await getDuplicates(id).catch(() => []) : [];
    if (id === this.openId) this.twins = twins;
  }

  /** Asks for all that is shown again. */
  async again(): Promise<void> {
    await Promise.all([this.reopen(), this.refresh(this.cases.length)]);
  }

  /** Nobody need be reminded of what was reminded of so far. */
  remindNoMore(): void {
    this.reminders = [];
  }

  /** Units to choose from. */
  private async learn(): Promise<void> {
    this.choices = (await this.guard(getChoices)) ?? this.choices;
  }

  private refreshSoon(): void {
    this.refreshing ??= setTimeout(() => {
      this.refreshing = null;
      if (this.many || this.unnamed) void this.reopen();
      this.many = this.unnamed = false;
      void this.refresh(this.cases.length);
      void this.learn();
    }, REFRESH_MS);
  }

  private async refresh(count: number): Promise<void> {
    this.turn += 1;
    const turn = this.turn;
    const queue = await this.guard(() => getQueue(this.asked, count));
    if (turn !== this.turn) return;
    if (queue) {
      this.cases = queue.cases;
      this.next = queue.next;
      this.total = queue.total;
      this.loading = false;
    } else if (this.mayPass()) setTimeout(() => turn === this.turn && void this.refresh(count), AGAIN_MS);
    else this.loading = false;
  }

  /** A refusal stays one; silence and a server's own failure may pass. */
  private mayPass(): boolean {
    const status = this.problem?.status ?? 0;
    return status === 0 || status >= 500 || status === 429;
  }

  private async guard<T>(load: () => Promise<T>): Promise<T | null> {
    try {
      const value = await load();
      this.goodAt = Date.now();
      this.problem = null;
      return value;
    } catch (cause) {
      this.problem = problemOf(cause);
      return null;
    }
  }
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
