"""All routers, in the order in which they are asked; none knows another."""

from fastapi import APIRouter

from mapserver.routers import (
    api,
    cap,
    cases,
    city,
    collections,
    duplicates,
    evaluation,
    health,
    heat,
    ingest,
    items,
    jobs,
    landing,
    ledger,
    live,
    measures,
    nearest,
    open311,
    photos,
    place,
    reports,
    screens,
    service_load,
    session,
    styles,
    summary,
    tiles,
    tilesets,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        landing,
        api,
        city,
        collections,
        items,
        tiles,
        tilesets,
        styles,
        heat,
        place,
        reports,
        summary,
        evaluation,  # before the cases, whose numbers its name would be taken for
        cases,
        ledger,
        cap,
        duplicates,
        photos,
        measures,
        service_load,
        open311,
        nearest,
        live,
        ingest,
        jobs,
        session,
        health,
        screens,
    )
)
