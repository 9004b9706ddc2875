"""Bad inputs by number: what each is answered with, and that nothing is stored and the next question is fine.

The numbers are those of the project's list of bad inputs: 1-33 in a query or path, 34-44 of tiles and heat, 45-60 in
a body, 86-97 of sign-in and the web. Each has a case or a test here, or stands in `test_numbers.ELSEWHERE`.
"""

import shutil
from urllib.parse import unquote_plus

import pytest

from etl.work import Town
from layers.core.audience import Role
from tests import toy
from tests.conftest import _clone, _drop, heated
from tests.mapserver.conftest import asking, bearer, running, token
from tests.workshop import INCIDENTS, Workshop

CALLS = INCIDENTS | {"id": "desk", "format": "push", "file": None}
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def town(cluster, toy_template, toy_settings, tmp_path_factory):
    """The toy city, with a source that takes pushes."""
    name = _clone(cluster, toy_template)
    folder = tmp_path_factory.mktemp("town") / "toy"
    shutil.copytree(toy_settings.city_folder, folder)
    shop = Workshop(folder, cluster.url(name))
    shop.source(CALLS)
    Town(folder, shop.url).read()
    yield shop
    _drop(cluster, name)


@pytest.fixture(scope="module")
def settings(town, toy_settings):
    return toy_settings.model_copy(update={"cities": town.folder.parent})


@pytest.fixture(scope="module")
async def app(town, settings):
    heated(town.url, settings.heat_folder(town.url), toy.CITY)
    async with running(settings, town.url) as made:
        yield made


@pytest.fixture(scope="module")
async def api(app, town, settings):
    """A dispatcher, who may ask for everything and push."""
    async with asking(app) as made:
        made.headers.update(bearer(token(settings, town.url, Role.DISPATCHER)))
        yield made


@pytest.fixture(scope="module")
async def public(app):
    """Nobody in particular."""
    async with asking(app) as made:
        yield made


@pytest.fixture(autouse=True)
async def unharmed(api, town):
    """Whatever was asked, nothing of it is stored, and the next question is answered."""
    before = stored(town)
    yield
    assert stored(town) == before
    assert (await api.get("/collections/incidents/items?limit=1")).status_code == 200


def stored(town):
    """How much there is of what a caller can write."""
    (found,) = town.rows(
        "select (select count(*) from onemap.push) as pushes, (select count(*) from onemap.incident) as incidents, "
        "(select count(*) from jobs.procrastinate_jobs) as jobs"
    )
    return found


def refused(answer, status, named=None):
    """It is a problem document of this status, which names the parameter and gives nothing away."""
    assert answer.status_code == status, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert (problem["status"], problem["type"].startswith("urn:onemap:"), bool(problem["title"])) == (
        status,
        True,
        True,
    )
    if named is not None:
        assert problem["parameter"] == named
    for word in ("Traceback", "psycopg", "sqlalchemy", "onemap.incident", "SELECT", "select count"):
        assert word not in answer.text or word in unquote_plus(str(answer.url))
    return problem
