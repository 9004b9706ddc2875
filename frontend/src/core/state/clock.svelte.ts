const TICK_MS = 1_000;

/** The server's time, which every age and clock on the screen is read from. */
export class ServerClock {
  /** ms since the epoch, moved on once a second */
  now = $state(Date.now());
  private aheadMs = 0;

  constructor() {
    setInterval(() => {
      this.now = Date.now() + this.aheadMs;
    }, TICK_MS);
  }

  set(now: string): void {
    this.aheadMs = Date.parse(now) - Date.now();
    this.now = Date.now() + this.aheadMs;
  }
}
