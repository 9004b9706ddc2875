import type { Span } from "../data/types";
import type { Lang } from "../state/url";

/** `en-GB` writes the day before the month, as most of the world reads it. */
const LOCALE: Readonly<Record<Lang, string>> = { en: "en-GB", zh: "zh-CN" };
const MINUS = "\u2212";

/** Numbers, times and lengths of one language in the city's time zone. */
export class Formats {
  private readonly locale: string;
  private readonly numbers: Intl.NumberFormat;
  private readonly percents: Intl.NumberFormat;
  private readonly days: Intl.DateTimeFormat;
  private readonly clocks: Intl.DateTimeFormat;
  private readonly weekdays: Intl.DateTimeFormat;
  private readonly instants: Intl.DateTimeFormat;
  private readonly thisYear: Intl.DateTimeFormat;
  private readonly years: Intl.DateTimeFormat;

  constructor(
    private readonly lang: Lang,
    timeZone: string,
  ) {
    const locale = LOCALE[lang];
    this.locale = locale;
    this.numbers = new Intl.NumberFormat(locale);
    this.percents = new Intl.NumberFormat(locale, {
      style: "percent",
      maximumFractionDigits: 1,
      signDisplay: "exceptZero",
    });
    this.days = new Intl.DateTimeFormat(locale, {
      timeZone,
      day: "numeric",
      month: "short",
      year: "numeric",
    });
    this.clocks = new Intl.DateTimeFormat(locale, {
      timeZone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    this.weekdays = new Intl.DateTimeFormat(locale, {
      timeZone,
      weekday: "short",
      day: "numeric",
      month: "short",
    });
    this.thisYear = new Intl.DateTimeFormat(locale, {
      timeZone,
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    this.years = new Intl.DateTimeFormat(locale, { timeZone, year: "numeric" });
    this.instants = new Intl.DateTimeFormat(locale, {
      timeZone,
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  }

  /** An instant without the year that it is now; in another year, with it. */
  moment(ms: number, now: number): string {
    const same = this.years.format(ms) === this.years.format(now);
    return same ? this.thisYear.format(ms) : this.instant(ms);
  }

  number(value: number): string {
    return this.numbers.format(value);
  }

  /** A part of a whole in whole percent, cut: what lacks a little is not all. */
  share(part: number): string {
    return `${this.numbers.format(Math.floor(part * 100))}${this.lang === "zh" ? "%" : " %"}`;
  }

  /** A change against `before`, signed; a dash where nothing was before. */
  change(value: number, before: number): string {
    if (before === 0) return "–";
    return this.percents.format((value - before) / before).replace("-", MINUS);
  }

  /** The days that a half-open span touches: one that ends at midnight does not touch the next day. */
  span({ from, to }: Span): string {
    const first = Date.parse(from);
    const last = Math.max(first, Date.parse(to) - 1);
    if (this.lang !== "zh") return this.days.formatRange(first, last);
    // Intl would write 2021/10/3 – 2021/12/31, which nobody says.
    const [a, b] = [this.days.format(first), this.days.format(last)];
    if (a === b) return a;
    const year = a.slice(0, a.indexOf("年") + 1);
    return `${a}至${b.startsWith(year) ? b.slice(year.length) : b}`;
  }

  day(ms: number): string {
    return this.days.format(ms);
  }

  clock(ms: number): string {
    return this.clocks.format(ms);
  }

  weekday(ms: number): string {
    return this.weekdays.format(ms);
  }

  instant(ms: number): string {
    return this.instants.format(ms);
  }

  /** An age in the largest whole unit that fits: "12 s", "4 min", "3 h", "8 days". */
  age(ms: number): string {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    if (seconds < 60) return this.amount(seconds, "second", "short");
    if (seconds < 3600) return this.amount(Math.floor(seconds / 60), "minute", "short");
    if (seconds < 86_400) return this.amount(Math.floor(seconds / 3600), "hour", "short");
    return this.amount(Math.floor(seconds / 86_400), "day", "long");
  }

  /** A length: metres to two significant digits below 1 km, kilometres with one decimal above. */
  length(metres: number): string {
    if (metres < 1000) return this.amount(Number(metres.toPrecision(2)), "meter", "short");
    return this.amount(Math.round(metres / 100) / 10, "kilometer", "short");
  }

  private amount(value: number, unit: string, unitDisplay: "short" | "long"): string {
    const text = new Intl.NumberFormat(this.locale, { style: "unit", unit, unitDisplay }).format(value);
    return this.lang === "zh" ? text.replace(/(\d)(?=\p{Script=Han})/u, "$1 ") : text;
  }
}
