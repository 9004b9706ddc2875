"""All routers, in the order in which they are asked; none knows another."""

from fastapi import APIRouter

from mapserver.routers import (
    api,
    city,
    features,
    health,
    heat,
    ingest,
    jobs,
    landing,
    live,
    place,
    screens,
    session,
    summary,
    tiles,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        landing,
        api,
        city,
        features,
        tiles,
        heat,
        place,
        summary,
        live,
        ingest,
        jobs,
        session,
        health,
        screens,
    )
)
