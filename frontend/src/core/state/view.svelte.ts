import { type Address, type Camera, formatAddress, type Lang, type Part, parseAddress } from "./url";
import type { WindowName } from "./window";

/** What a person has chosen; the address bar always says the same, so a screen can be sent as a link. */
export class ViewState {
  lang = $state<Lang | null>(null);
  layer = $state<string | null>(null);
  window = $state<WindowName | null>(null);
  camera = $state.raw<Camera | null>(null);
  hidden = $state.raw<ReadonlySet<Part>>(new Set());

  constructor() {
    this.read();
    globalThis.addEventListener("popstate", () => this.read());
    $effect(() => {
      const { pathname, search, hash } = globalThis.location;
      const query = formatAddress(this.address());
      if (query !== search) history.replaceState(null, "", pathname + query + hash);
    });
  }

  toggle(part: Part): void {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(part)) hidden.add(part);
    this.hidden = hidden;
  }

  private address(): Address {
    return {
      lang: this.lang,
      layer: this.layer,
      window: this.window,
      camera: this.camera,
      hidden: this.hidden,
    };
  }

  private read(): void {
    Object.assign(this, parseAddress(globalThis.location.search));
  }
}
