"""The built screens: pages and their assets, files of one folder."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from layers.core.errors import ScreensMissing

_HUB = "index.html"
_MANIFEST = "assets/manifest.json"
_ICON = "src/core/ui/icon.svg"
_HASHED = re.compile(r"assets/[^/]+-[A-Za-z0-9_-]{8}\.[a-z0-9]+")
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Assets:
    """Addresses of what a page that the server writes has to load."""

    script: str
    styles: tuple[str, ...]
    icon: str


class Screens:
    """The screens in `folder`, as Vite builds them.

    Vite puts the hash of a file's content into the name of what it writes to `assets/`, so those files never
    change; what it copies lies in folders below and is asked for again, as pages are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)

    @property
    def present(self) -> bool:
        """Whether they are built."""
        return (self._folder / _HUB).is_file()

    def assets(self, entry: str) -> Assets | None:
        """What the built script `entry` (its source file below the frontend) loads; none: it is not built.

        Read anew each time, as a build may replace the one before it under a running server.
        """
        try:
            manifest = orjson.loads((self._folder / _MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        met = _with_imports(manifest, entry)
        return Assets(
            f"/{manifest[entry]['file']}",
            tuple(f"/{style}" for key in met for style in manifest[key].get("css", ())),
            f"/{manifest[_ICON]['file']}",
        )

    async def hub(self, request: Request) -> Response:
        """The page that links to all others.

        Raises
        ------
        ScreensMissing : the screens are not built yet.
        """
        return await self.file(_HUB, request)

    async def file(self, path: str, request: Request) -> Response:
        """One file of the build, or 304 where the browser has it; never one outside of its folder.

        Raises
        ------
        ScreensMissing : the screens are not built yet.
        HTTPException : 404, there is no such file.
        """
        try:
            answer = await self._files.get_response(path, request.scope)
        except HTTPException as exc:
            if exc.status_code == HTTPStatus.NOT_FOUND and not self.present:
                raise ScreensMissing("the screens are not built yet: `make run` builds them") from exc
            raise
        answer.headers["Cache-Control"] = _FOR_EVER if _HASHED.fullmatch(path) else "no-cache"
        return answer


def _with_imports(manifest: dict[str, Any], entry: str) -> list[str]:
    """Keys of all that `entry` is made of, what is imported before who imports it, as style sheets have to be."""
    found: list[str] = []

    def visit(key: str) -> None:
        for each in manifest[key].get("imports", ()):
            visit(each)
        if key not in found:
            found.append(key)

    visit(entry)
    return found
