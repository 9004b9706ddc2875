import type { TileVersion } from "../data/api";
import type { LiveEvents } from "../data/types";

/** Events may come ten a second; the server names new tiles as rarely, too. */
const APART_MS = 5_000;

/** A validity that begins or ends by the clock is no event. */
const ANYWAY_MS = 60_000;

interface Followed {
  v: string;
  /** the number that an event told of */
  wanted: number;
  askedAt: number;
  waiting: ReturnType<typeof setTimeout> | null;
}

/**
 * Which version the tiles of each layer are asked in. Tiles of a version never change, so browsers keep them for
 * good; a change gives all of them other addresses, which are asked for at most every five seconds.
 */
export class TileVersions {
  private readonly layers = new Map<string, Followed>();

  constructor(
    private readonly load: (layer: string) => Promise<TileVersion>,
    private readonly take: (layer: string, v: string) => void,
  ) {}

  /** Follows these layers from now on; ends when each was asked for, answered or not. */
  async start(layers: readonly string[]): Promise<void> {
    for (const layer of layers) {
      this.layers.set(layer, { v: "", wanted: 0, askedAt: -APART_MS, waiting: null });
    }
    setInterval(() => this.askAll(), ANYWAY_MS);
    await Promise.all(layers.map((layer) => this.ask(layer)));
  }

  /** A layer has changed, or any may have. */
  changed(news: LiveEvents["layer"] | null): void {
    if (news === null) {
      for (const followed of this.layers.values()) followed.wanted = 0;
      this.askAll();
      return;
    }
    const followed = this.layers.get(news.layer);
    if (!followed) return;
    followed.wanted = news.version;
    this.askSoon(news.layer, followed);
  }

  private askAll(): void {
    for (const [layer, followed] of this.layers) this.askSoon(layer, followed);
  }

  private askSoon(layer: string, followed: Followed): void {
    const delay = Math.max(0, followed.askedAt + APART_MS - performance.now());
    followed.waiting ??= setTimeout(() => void this.ask(layer), delay);
  }

  private async ask(layer: string): Promise<void> {
    const followed = this.layers.get(layer);
    if (!followed) return;
    followed.waiting = null;
    followed.askedAt = performance.now();
    const found = await this.load(layer).catch(() => null);
    if (found && found.v !== followed.v) {
      followed.v = found.v;
      this.take(layer, found.v);
    }
    // The server may name the newest version a little later than it tells of it.
    if (followed.wanted > (found?.number ?? 0)) this.askSoon(layer, followed);
  }
}
