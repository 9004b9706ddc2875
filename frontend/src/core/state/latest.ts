/** How one kind of question is asked, and what becomes of its answers. */
export interface Asking<Q, A> {
  /** the answer, or null where none came */
  load(question: Q): Promise<A | null>;
  take(answer: A): void;
  /** false where the server is known to be further than this answer */
  current(answer: A): boolean;
  /** false where to ask again would get the same refusal */
  mayPass(): boolean;
}

/** After this long a question is asked again that was not answered, or by what is no longer so. */
export const AGAIN_MS = 3_000;

/**
 * One question at a time, the last that was asked: its answer counts, in whatever order they come.
 * Questions are compared by what they say, so that asking the same once more asks nobody.
 */
export class Latest<Q, A> {
  private asked = "";

  constructor(private readonly asking: Asking<Q, A>) {}

  ask(question: Q): void {
    const text = JSON.stringify(question);
    if (text === this.asked) return;
    this.asked = text;
    void this.load(question, text);
  }

  private async load(question: Q, text: string): Promise<void> {
    const answer = await this.asking.load(question);
    if (text !== this.asked) return;
    if (answer !== null) this.asking.take(answer);
    const again = answer === null ? this.asking.mayPass() : !this.asking.current(answer);
    if (again) setTimeout(() => text === this.asked && void this.load(question, text), AGAIN_MS);
  }
}
