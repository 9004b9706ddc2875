const TICK_MS = 1_000;

/**
 * The server's time, which every clock on the screen is read from. Where a past is replayed it is that
 * of the past and runs faster; ages of what was heard are those of `real`.
 */
export class ServerClock {
  /** ms since the epoch, moved on once a second */
  now = $state(Date.now());
  /** this machine's own time, ms, moved on with it */
  real = $state(Date.now());
  /** seconds of the past in a second, where one is replayed; else 1 */
  speed = $state(1);
  /** a past is shown as if it were now */
  replays = $state(false);

  private toldAt = Date.now();
  private told = this.toldAt;

  constructor() {
    setInterval(() => this.tick(), TICK_MS);
  }

  /** The server says what time it is, and how fast that runs where a past is replayed. */
  set(now: string, replay: number | null): void {
    this.toldAt = Date.now();
    this.told = Date.parse(now);
    this.replays = replay !== null;
    this.speed = replay ?? 1;
    this.tick();
  }

  /** The server's time at a moment of this machine. */
  at(real: number): number {
    return this.told + (real - this.toldAt) * this.speed;
  }

  private tick(): void {
    this.real = Date.now();
    this.now = this.at(this.real);
  }
}
