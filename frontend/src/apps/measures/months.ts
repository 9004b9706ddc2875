/** The instant at which a month like `2026-03` begins in a time zone, RFC 3339. */
export const beginOf = (month: string, timeZone: string): string => instantOf(`${month}-01T00:00`, timeZone);

/** The instant of a local time like `2026-03-02T09:30` in a time zone, RFC 3339. */
export function instantOf(local: string, timeZone: string): string {
  const utc = Date.parse(`${local}:00Z`);
  const first = utc - aheadMs(utc, timeZone);
  // The zone may change its clock between the two.
  return new Date(utc - aheadMs(first, timeZone)).toISOString();
}

/** The month so many months after another. */
export function later(month: string, by: number): string {
  const at = new Date(`${month}-01T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + by);
  return at.toISOString().slice(0, 7);
}

/** The month of an instant in a time zone. */
export function monthOf(ms: number, timeZone: string): string {
  return new Date(ms + aheadMs(ms, timeZone)).toISOString().slice(0, 7);
}

/** How far a zone's clock is before UTC, ms. */
function aheadMs(ms: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, second } = part;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - Math.floor(ms / 1000) * 1000;
}
