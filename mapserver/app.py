"""The application: made by a call from settings and an address, never at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES

from layers.catalog.city import City
from layers.core.clock import Clock, ReplayClock
from layers.core.db import Database
from layers.core.settings import Settings
from layers.heat.engine import Engine
from mapserver import errors, pages
from mapserver.auth.keys import Keys
from mapserver.budget import Budgets
from mapserver.cache.cache import Cache
from mapserver.cache.disk import Disk
from mapserver.caps import Capped
from mapserver.cases import Loop
from mapserver.deps import known_parameters, same_origin
from mapserver.formats.registry import FORMATS
from mapserver.lane import Lane
from mapserver.live import Hub
from mapserver.methods import Methods
from mapserver.metrics import Metrics
from mapserver.middleware import Compressed, LastResort, Measured, PlainUrl, SafeHeaders
from mapserver.openapi import Described
from mapserver.replaying import following
from mapserver.routers import ROUTERS
from mapserver.scope import Scopes
from mapserver.screens import Screens
from mapserver.versions import Versions

_MB = 1_000_000
_PATIENCE_S = 1.0
_GZIP_FROM_BYTES = 1000
_GZIP_LEVEL = 1  # of heat, level 5 is 8 to 13 % smaller and takes two to four times as long: longer than to answer

_SMALL_ALREADY = (*DEFAULT_EXCLUDED_CONTENT_TYPES, FORMATS["parquet"].media_type)


def create_app(settings: Settings, url: str, clock: Clock | None = None) -> FastAPI:
    """The server of one city on the database at `url`; nothing is opened before its lifespan begins.

    Without a `clock` it is the wall's, or that of the past that is replayed.

    Raises
    ------
    BadCity : the city's folder cannot be followed.
    """
    app = Described(
        title="One Map",
        version=version("onemap"),
        openapi_url=None,  # a router serves it
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirect would be built from the Host header, which anybody may forge
        dependencies=[Depends(same_origin), Depends(known_parameters)],
        responses=errors.RESPONSES,
        lifespan=_open,
    )
    clock = clock or ReplayClock()
    state = app.state
    state.settings = settings
    state.clock = clock
    state.city = City.load(settings.city_folder)
    state.loop = Loop.of(state.city)
    state.screens = Screens(settings.screens)
    state.metrics = Metrics()
    state.db = Database(url, pool_size=settings.db.pool_size, timeout_s=settings.db.timeout_s)
    state.scopes = Scopes(state.db)
    state.engine = Engine(settings.heat_folder(url), state.city)
    state.keys = Keys(state.db, settings.home)
    state.budgets = Budgets(settings.limits)
    state.versions = Versions(state.db, state.engine, state.city, clock)
    state.disk = Disk(settings.cache_folder(url), settings.cache.disk_mb * _MB)
    state.cache = Cache(state.versions, state.metrics, state.disk, settings.cache.memory_mb * _MB)
    state.hub = Hub(state.db, state.keys, clock, state.metrics, state.versions)
    errors.install(app, told=pages.problem)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Capped, timeout_s=settings.db.timeout_s)
    app.add_middleware(
        Compressed,
        minimum_size=_GZIP_FROM_BYTES,
        compresslevel=_GZIP_LEVEL,
        exclude_content_types=_SMALL_ALREADY,
    )
    app.add_middleware(PlainUrl)
    app.add_middleware(LastResort)
    app.add_middleware(Methods)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Measured, metrics=state.metrics)
    # The last one added is the first one asked.
    app.add_middleware(Lane, cache=state.cache, keys=state.keys, metrics=state.metrics)
    return app


@asynccontextmanager
async def _open(app: FastAPI) -> AsyncIterator[None]:
    app.state.disk.open()
    try:
        async with app.state.db, following(app.state.clock, app.state.db), app.state.hub:
            await app.state.versions.known(within_s=_PATIENCE_S)
            yield
    finally:
        app.state.disk.close()
