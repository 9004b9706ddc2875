import type { LiveEvents, LiveFeature } from "./types";

/** No word for this long means the line is dead, whatever the socket says. Beats come every 5 s. */
export const SILENCE_MS = 15_000;
const WATCH_MS = 1_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
const REMEMBERED_IDS = 500;

/** `live`: heard from within the silence limit; `down`: not, and the feed is trying again. */
export type Link = "connecting" | "live" | "down";

export interface LiveHandlers {
  link(state: Link): void;
  /** server time of a hello or a beat */
  /** `replay`: seconds of the past in a second, where one is replayed */
  time(now: string, replay: number | null): void;
  layer(event: LiveEvents["layer"]): void;
  heat(event: LiveEvents["heat"]): void;
  incident(event: LiveFeature): void;
  /** a case was registered or has moved */
  case?(event: LiveEvents["case"]): void;
  /** a term of a case has reached a colour */
  reminder?(event: LiveEvents["reminder"]): void;
  /** events may have been missed: ask for everything again */
  reset(): void;
}

/** The part of EventSource that the feed uses, so that a test can stand in for it. */
export interface EventLine {
  readonly readyState: number;
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

const CLOSED = 2;

/**
 * Server-sent events with a watchdog.
 *
 * EventSource reconnects by itself after a dropped socket, and then sends Last-Event-ID. It gives up
 * for good on an answer such as 503, and it never notices a line that is open but silent. In both
 * cases the feed opens a new line after a growing delay. It says by the address which event it saw
 * last, and is told what it missed; one that never saw any has to ask for everything again.
 */
export class LiveFeed {
  private line: EventLine | null = null;
  private heardAt = 0;
  private attempts = 0;
  private reopenAt: number | null = null;
  private lastId = "";
  private missed = false;
  private state: Link = "connecting";
  private watch: ReturnType<typeof setInterval> | undefined;
  private readonly seen = new Set<string>();

  constructor(
    private readonly handlers: LiveHandlers,
    private readonly open: (path: string) => EventLine = (path) => new EventSource(path),
  ) {}

  start(): void {
    this.connect();
    this.watch = setInterval(() => this.check(), WATCH_MS);
  }

  stop(): void {
    clearInterval(this.watch);
    this.line?.close();
    this.line = null;
  }

  private connect(): void {
    this.reopenAt = null;
    this.heardAt = Date.now();
    const line = this.open(this.lastId ? `/live?last_event_id=${this.lastId}` : "/live");
    this.line = line;
    const on = <K extends keyof LiveEvents>(name: K, act: (data: LiveEvents[K]) => void) =>
      line.addEventListener(name, (event) => {
        if (this.line !== line) return;
        this.heard();
        this.lastId = event.lastEventId || this.lastId;
        act(JSON.parse(event.data) as LiveEvents[K]);
      });
    on("hello", (event) => {
      this.handlers.time(event.now, event.replay);
      if (this.missed) this.handlers.reset();
      this.missed = false;
    });
    on("beat", (event) => this.handlers.time(event.now, event.replay));
    on("layer", (event) => this.handlers.layer(event));
    on("heat", (event) => this.handlers.heat(event));
    on("incident", (event) => this.deliver(event));
    on("case", (event) => this.handlers.case?.(event));
    on("reminder", (event) => this.handlers.reminder?.(event));
    on("reset", () => this.handlers.reset());
  }

  /** A replay after a reconnect repeats what was already shown. */
  private deliver(event: LiveFeature): void {
    const id = String(event.id);
    if (this.seen.has(id)) return;
    this.seen.add(id);
    if (this.seen.size > REMEMBERED_IDS) {
      const [oldest] = this.seen;
      if (oldest !== undefined) this.seen.delete(oldest);
    }
    this.handlers.incident(event);
  }

  private heard(): void {
    this.heardAt = Date.now();
    this.attempts = 0;
    this.tell("live");
  }

  private check(): void {
    const now = Date.now();
    if (this.reopenAt !== null) {
      if (now >= this.reopenAt) this.connect();
      return;
    }
    const silent = now - this.heardAt > SILENCE_MS;
    if (!silent && this.line?.readyState !== CLOSED) return;
    this.line?.close();
    this.line = null;
    this.missed = this.lastId === "";
    this.reopenAt = now + Math.min(FIRST_DELAY_MS * 2 ** this.attempts, LONGEST_DELAY_MS);
    this.attempts += 1;
    this.tell("down");
  }

  private tell(state: Link): void {
    if (state === this.state) return;
    this.state = state;
    this.handlers.link(state);
  }
}
