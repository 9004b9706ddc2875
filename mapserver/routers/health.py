"""Is the process alive, can it serve, and its figures."""

import asyncio

import psycopg
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from layers.core.audience import PUBLIC
from layers.core.db import Database
from layers.core.errors import NotReady, Unavailable
from layers.core.migrate import steps
from layers.core.statement import Statement
from mapserver.deps import Db, TheMetrics, TheScreens

router = APIRouter(tags=["health"])

_PATIENCE_S = 1.0
_NO_ANSWER = f"database: no answer within {_PATIENCE_S:g} s"
_STEPS = Statement("select number from onemap.migration order by number")
_LOADED = Statement("select exists (select from onemap.layer_version where layer = 'areas')")


@router.get("/healthz", response_class=PlainTextResponse)
async def get_health() -> Response:
    """The process answers; nothing else is looked at."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", response_class=PlainTextResponse)
async def get_readiness(db: Db, screens: TheScreens) -> Response:
    """Everything is there that serving needs; else 503 says what is missing."""
    missing = [] if screens.present else ["screens: `make run` builds them"]
    looking = asyncio.create_task(_missing_in(db))
    await asyncio.wait({looking}, timeout=_PATIENCE_S)
    if looking.done():
        missing += looking.result()
    else:
        looking.cancel()  # and not waited for: at a server that hangs, a cancellation hangs too
        missing.append(_NO_ANSWER)
    if missing:
        raise NotReady(f"not ready: {'; '.join(missing)}", missing=missing)
    return PlainTextResponse("ready\n")


@router.get("/metrics", response_class=PlainTextResponse)
async def get_metrics(metrics: TheMetrics) -> Response:
    """Figures in Prometheus' format, of the one process that answers: several workers count apart."""
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _missing_in(db: Database) -> list[str]:
    try:
        async with db.transaction(PUBLIC) as tx:
            applied = [row["number"] for row in await tx.rows(_STEPS)]
            loaded = await tx.value(_LOADED)
    except Unavailable:
        return [_NO_ANSWER]
    except psycopg.Error:  # no such table or role
        applied, loaded = [], False
    missing = []
    if applied != [step.number for step in steps()]:
        missing.append("migrations: the database is not at the last step of this version")
    if not loaded:
        missing.append("city: nothing is loaded yet; `onemap etl run` loads it")
    return missing
