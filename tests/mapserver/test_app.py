import json
import subprocess
import sys
from pathlib import Path

from mapserver.app import create_app
from tests.mapserver.conftest import asking, running

ROOT = Path(__file__).parents[2]


async def test_the_openapi_document_is_3_1_and_documents_errors_as_problems(client):
    document = (await client.get("/api")).json()
    assert document["openapi"].startswith("3.1.")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"], path
            own = {
                "text/xml",
                "application/json",
                "application/problem+json",
            }  # of which the first two are its standard's
            standard = path.startswith("/open311/") and not path.endswith("/moves")
            wanted = own if standard else {"application/problem+json"}
            assert set(operation["responses"]["default"]["content"]) == wanted, path


async def test_no_page_loads_anything_from_elsewhere(client):
    for path in ("/docs", "/redoc"):
        assert "cdn" not in (await client.get(path)).text


async def test_no_redirect_is_built_from_a_forged_host(client):
    answer = await client.get("/city/", headers={"Host": "evil.example"})
    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_two_apps_live_side_by_side(toy_settings, shared_toy):
    async with (
        running(toy_settings, shared_toy.url) as one,
        running(toy_settings, shared_toy.url) as two,
        asking(one) as first,
        asking(two) as second,
    ):
        await first.get("/city")
        assert 'route="/city"' in (await first.get("/metrics")).text
        assert 'route="/city"' not in (await second.get("/metrics")).text


def test_nothing_is_read_from_the_environment_or_started_at_import():
    script = "import threading, mapserver.app, mapserver.worker; print(threading.active_count())"
    given = {"ONEMAP_SERVER__PORT": "no number", "ONEMAP_CITY": "NOWHERE"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=given, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


def test_the_app_is_described_without_a_database(toy_settings):
    assert json.dumps(create_app(toy_settings, "").openapi())
