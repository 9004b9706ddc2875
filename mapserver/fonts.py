"""The fonts of the built screens, as a map style names them, so that no text needs a font from elsewhere."""

import re
from pathlib import Path
from typing import Any

import orjson

FAMILY = "Noto Sans SC"
"""Has Latin and Chinese letters alike."""

_MANIFEST = "assets/manifest.json"
_SLICE = re.compile(r".*/noto-sans-sc/files/noto-sans-sc-(.+)-wght-normal\.woff2")
_RANGES = re.compile(r".*/noto-sans-sc/unicode\.json")


def faces(screens: Path, base: str) -> dict[str, list[dict[str, Any]]]:
    """The `font-faces` of a style: files at `base`, each with the letters that it has; none before a build.

    The font comes in a hundred slices, of which a map fetches those whose letters it shows.
    """
    try:
        manifest = orjson.loads((screens / _MANIFEST).read_bytes())
    except FileNotFoundError:
        return {}
    files = {key: str(entry["file"]) for key, entry in manifest.items()}
    ranges: dict[str, str] = {}
    for key, file in files.items():
        if _RANGES.fullmatch(key):
            ranges = orjson.loads((screens / file).read_bytes())
    found = []
    for key, file in sorted(files.items()):
        named = _SLICE.fullmatch(key)
        letters = named and (ranges.get(named[1]) or ranges.get(f"[{named[1]}]"))
        if letters:
            found.append({"url": f"{base}/{file}", "unicode-range": [each.strip() for each in letters.split(",")]})
    return {FAMILY: found} if found else {}
