"""What a page is asked so that everybody can use it: names, ids, contrasts, edges, and where the keyboard is."""

NAMELESS = """() => [...document.querySelectorAll("button, a, select, input, textarea, [role]:not([role=status], [role=alert])")].filter((each) =>
  !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length)).map((each) => each.outerHTML)"""

TWICE = """() => {
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""

# Contrast of each text that the page itself draws with the nearest ground below it, by WCAG 2.
FAINT = """() => {
  const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (each) => {
    for (let at = each; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0.9) return colour;
    }
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (words.nextNode()) {
    const each = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !each.checkVisibility() || each.closest("canvas, option, .maplibregl-ctrl")) continue;
    const [a, b] = [light(getComputedStyle(each).color), light(ground(each))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push([words.currentNode.data.trim(), ratio]);
  }
  return faint;
}"""

# Each part that reaches beyond the right edge.
OUTSIDE = """[...document.querySelectorAll("header button, section, article, aside button")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML)"""

FOCUSED = """() => {
  const at = document.activeElement;
  const { outlineStyle, boxShadow } = getComputedStyle(at);
  const row = at.querySelector("[aria-selected=true]");
  const rim = row ? getComputedStyle(row).boxShadow : boxShadow;
  const seen = outlineStyle !== "none" || rim !== "none" || ["BODY", "CANVAS"].includes(at.tagName);
  return [[...document.querySelectorAll("*")].indexOf(at), seen, at.outerHTML.slice(0, 100)];
}"""


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
