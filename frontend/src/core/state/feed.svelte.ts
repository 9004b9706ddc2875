import { ApiProblem, getCity, getHeatCatalog, getReadable, getSummary } from "../data/api";
import { CellLoader, type CellSet } from "../data/cells";
import { type Link, LiveFeed } from "../data/live";
import type { City, HeatCatalog, LiveEvents, LiveFeature, Span, Summary } from "../data/types";
import { quantise, type Scale, scaleOf } from "../layers/scale";
import type { ServerClock } from "./clock.svelte";
import { AGAIN_MS, Latest } from "./latest";

/** Events may come ten a second; the screen follows at most this often. */
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
  news: News;
}

/** Raised when the server has news: the same question then has a new answer. */
export interface News {
  heat: number;
  figures: number;
}

/** The layer that the public's heat and figures are read from. */
const RELEASED = "released";

export interface FeedEvents {
  incident(event: LiveFeature): void;
  /** the server has a new version of a layer, or `null` where any may have changed */
  changed(news: LiveEvents["layer"] | null): void;
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
  news = $state.raw<News>({ heat: 0, figures: 0 });
  /** ids of the layers that this audience may read */
  readable: ReadonlySet<string> = new Set();

  private readonly cells = new CellLoader();
  private readonly heatAsker = new Latest({
    load: ({ layer, from, to, res }: Span & { layer: string; res: number; news: number }) =>
      this.guard(() => this.cells.load(layer, { from, to }, res)),
    take: (set: CellSet) => {
      this.heat = frameOf(set);
    },
    current: ({ meta }: CellSet) => meta.version >= this.heatVersion,
    mayPass: () => this.mayPass(),
  });
  private readonly figuresAsker = new Latest({
    load: ({ from, to }: Span & { news: number }) => this.guard(() => getSummary({ from, to })),
    take: (summary: Summary) => {
      this.summary = summary;
    },
    current: () => true,
    mayPass: () => this.mayPass(),
  });
  /** what the server said last that heat is answered of; 0 where it said nothing, as to the public */
  private heatVersion = 0;
  private heard: News = { heat: 0, figures: 0 };
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
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        continue;
      }
      const [city, catalog, readable] = loaded;
      this.clock.set(city.now, city.replay?.speed ?? null);
      this.readable = readable;
      this.catalog = catalog;
      this.city = city;
    }
    new LiveFeed({
      link: (link) => {
        this.link = link;
      },
      time: (now, replay) => {
        this.clock.set(now, replay);
        this.goodAt = this.clock.real;
      },
      layer: (event) => {
        this.events.changed(event);
        const published = event.layer === RELEASED && !this.catalog?.policy.exact;
        this.refreshSoon({ heat: published, figures: true });
      },
      heat: ({ version }) => {
        this.heatVersion = version;
        // The figures are counted as heat is, all but those of what is open.
        this.refreshSoon({ heat: true, figures: true });
      },
      incident: (event) => {
        this.events.incident(event);
        this.refreshSoon({ heat: false, figures: true });
      },
      reset: () => {
        this.heatVersion = 0;
        this.events.changed(null);
        this.refreshSoon({ heat: true, figures: true });
      },
    }).start();
  }

  /** Asks a question, or the part of it that is new; what is on the screen stays until the answer is here. */
  ask({ layer, span: { from, to }, res, news }: Question): void {
    this.heatAsker.ask({ layer, from, to, res, news: news.heat });
    this.figuresAsker.ask({ from, to, news: news.figures });
  }

  private refreshSoon(changed: { heat: boolean; figures: boolean }): void {
    this.heard = {
      heat: this.heard.heat + Number(changed.heat),
      figures: this.heard.figures + Number(changed.figures),
    };
    this.refreshing ??= setTimeout(async () => {
      this.refreshing = null;
      this.catalog = (await this.guard(getHeatCatalog)) ?? this.catalog;
      this.news = this.heard;
    }, REFRESH_MS);
  }

  /** A refusal stays one; silence and a server's own failure may pass. */
  private mayPass(): boolean {
    const status = this.problem?.status ?? 0;
    return status === 0 || status >= 500;
  }

  private async guard<T>(load: () => Promise<T>): Promise<T | null> {
    try {
      const value = await load();
      this.goodAt = Date.now();
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
  const density = (value: number, i: number) => value / (set.mesh.areasKm2[i] ?? 1);
  const values = mixed ? Float32Array.from(set.values, density) : set.values;
  const scale = scaleOf(values, !mixed);
  return { set, scale, levels: quantise(values, scale), mixed };
}
