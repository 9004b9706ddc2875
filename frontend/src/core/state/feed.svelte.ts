import { ApiProblem, getCity, getHeatCatalog, getReadable, getSummary } from "../data/api";
import { CellLoader, type CellSet } from "../data/cells";
import { type Link, LiveFeed } from "../data/live";
import type { City, HeatCatalog, LiveIncident, Span, Summary } from "../data/types";
import { quantise, type Scale, scaleOf } from "../layers/scale";
import type { ServerClock } from "./clock.svelte";

const RETRY_MS = 3_000;
/** Events may come ten a second; the figures follow at most this often. */
const REFRESH_MS = 1_000;

/** One frame of heat with the scale that it is coloured and captioned by. */
export interface HeatFrame {
  set: CellSet;
  scale: Scale;
  /** steps of the ramp, one for each cell */
  levels: Uint8Array<ArrayBuffer>;
  /** cells of several sizes are compared by density, for a large one would glow by its size alone */
  mixed: boolean;
}

/** What is asked for: changes with the person's choices and with the zoom. */
export interface Question {
  layer: string;
  span: Span;
  res: number;
  /** raised when the server has news: the same question then has a new answer */
  revision: number;
}

export interface FeedEvents {
  incident(event: LiveIncident): void;
  /** the server has a new version of a layer, or `null` where any may have changed */
  changed(layer: string | null): void;
}

/**
 * The server's answers as the screen shows them. Each keeps its last good value: a failure is told in
 * `problem`, and nothing on the screen goes blank.
 */
export class Feed {
  city = $state.raw<City | null>(null);
  catalog = $state.raw<HeatCatalog | null>(null);
  summary = $state.raw<Summary | null>(null);
  heat = $state.raw<HeatFrame | null>(null);
  link = $state<Link>("connecting");
  /** why the last question was not answered */
  problem = $state.raw<ApiProblem | null>(null);
  /** server time, ms, of the last answer or beat that came well */
  goodAt = $state(0);
  /** a part of each question, so that news are asked for where choices are */
  revision = $state(0);
  /** ids of the layers that this audience may read */
  readable: ReadonlySet<string> = new Set();

  private readonly cells = new CellLoader();
  private question: Question | null = null;
  private refreshing: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly clock: ServerClock,
    private readonly events: FeedEvents,
  ) {}

  /** Loads what never changes while the page is open, trying until the server answers. */
  async start(): Promise<void> {
    while (!this.city) {
      const loaded = await this.guard(() => Promise.all([getCity(), getHeatCatalog(), getReadable()]));
      if (!loaded) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      const [city, catalog, readable] = loaded;
      this.clock.set(city.now);
      this.readable = readable;
      this.catalog = catalog;
      this.city = city;
    }
    new LiveFeed({
      link: (link) => {
        this.link = link;
      },
      time: (now) => {
        this.clock.set(now);
        this.goodAt = this.clock.now;
      },
      layer: ({ layer }) => {
        this.events.changed(layer);
        this.refreshSoon();
      },
      incident: (event) => {
        this.events.incident(event);
        this.refreshSoon();
      },
      reset: () => {
        this.events.changed(null);
        this.refreshSoon();
      },
    }).start();
  }

  /** Asks a question; the frame on the screen stays until its answer is here. */
  ask(question: Question): void {
    const before = this.question;
    this.question = question;
    void this.loadHeat(question);
    const sameFigures =
      before?.revision === question.revision &&
      before.span.from === question.span.from &&
      before.span.to === question.span.to;
    if (!sameFigures) void this.loadSummary(question);
  }

  private refreshSoon(): void {
    this.refreshing ??= setTimeout(async () => {
      this.refreshing = null;
      this.catalog = (await this.guard(getHeatCatalog)) ?? this.catalog;
      this.revision += 1;
    }, REFRESH_MS);
  }

  private async loadHeat(question: Question): Promise<void> {
    const set = await this.guard(() => this.cells.load(question.layer, question.span, question.res));
    // A later question may have been asked meanwhile: its answer counts, in whatever order they come.
    if (question !== this.question) return;
    if (set) this.heat = frameOf(set);
    else this.retry(() => question === this.question && this.loadHeat(question));
  }

  private async loadSummary(question: Question): Promise<void> {
    const summary = await this.guard(() => getSummary(question.span));
    if (question.span !== this.question?.span) return;
    if (summary) this.summary = summary;
    else this.retry(() => question.span === this.question?.span && this.loadSummary(question));
  }

  /** A refusal stays one; silence and a server's own failure may pass. */
  private retry(ask: () => unknown): void {
    const status = this.problem?.status ?? 0;
    if (status === 0 || status >= 500) setTimeout(ask, RETRY_MS);
  }

  private async guard<T>(load: () => Promise<T>): Promise<T | null> {
    try {
      const value = await load();
      this.goodAt = this.clock.now;
      this.problem = null;
      return value;
    } catch (cause) {
      this.problem = cause instanceof ApiProblem ? cause : new ApiProblem(0, "about:blank", String(cause));
      return null;
    }
  }
}

function frameOf(set: CellSet): HeatFrame {
  const [coarsest, finest] = set.mesh.resolutions;
  const mixed = coarsest !== finest;
  const values = mixed ? set.values.map((value, i) => value / (set.mesh.areasKm2[i] ?? 1)) : set.values;
  const scale = scaleOf(values, !mixed);
  return { set, scale, levels: quantise(values, scale), mixed };
}
