"""Absolute links: from the configured public URL where there is one, so that a forged Host cannot bend them."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request

Link = dict[str, str]

OGC = "http://www.opengis.net/def/rel/ogc/1.0"
"""Where OGC's own relations are named."""


class Links:
    """Makes links of this server."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")

    def href(self, path: str, **query: object) -> str:
        """URL of `path` with the query parameters that are not none."""
        given = {key: str(value) for key, value in query.items() if value is not None}
        return f"{self.base}{path}" + (f"?{urlencode(given)}" if given else "")

    def link(self, rel: str, media_type: str, title: str, href: str) -> Link:
        """One link object as OGC API and RFC 8288 name its members."""
        return {"rel": rel, "type": media_type, "title": title, "href": href}


def links_of(request: Request) -> Links:
    """Links of the server that was asked."""
    configured = request.app.state.settings.server.public_url
    return Links(configured or str(request.base_url))


async def _links(request: Request) -> Links:
    return links_of(request)


ALinks = Annotated[Links, Depends(_links)]
