"""The built screens: `/wall.html` and its like, and `/assets`.

Plain routes: a page keeps its state in the query, which is its own matter and no parameter of ours.
"""

from typing import cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mapserver.screens import Screens

router = APIRouter()


async def get_page(request: Request) -> Response:
    """One page."""
    return await _screens(request).file(f"{request.path_params['page']}.html", request)


async def get_asset(request: Request) -> Response:
    """One file that pages load."""
    return await _screens(request).file(f"assets/{request.path_params['path']}", request)


def _screens(request: Request) -> Screens:
    return cast("Screens", request.app.state.screens)


router.add_route("/{page}.html", get_page, ["GET"], include_in_schema=False)
router.add_route("/assets/{path:path}", get_asset, ["GET"], include_in_schema=False)
