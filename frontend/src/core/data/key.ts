/**
 * A key for a form: sent twice, it is still one thing. Made by hand, for a page of the district's own network
 * may have no secure origin, and then no randomUUID.
 */
export function newKey(prefix: string): string {
  const bytes = [...crypto.getRandomValues(new Uint8Array(12))];
  return `${prefix}-${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
