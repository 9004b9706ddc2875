import pytest

from tests.mapserver.conftest import asking, running

HASHED = "/assets/wall-B_3fSYDa.js"


@pytest.fixture
async def client(toy_settings, shared_toy, dist):
    settings = toy_settings.model_copy(update={"screens": dist})
    async with running(settings, shared_toy.url) as app, asking(app) as made:
        yield made


async def test_a_page_is_served_and_asked_for_again(client):
    answer = await client.get("/wall.html")
    assert (answer.status_code, answer.text) == (200, "<title>wall</title>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_page_keeps_its_state_in_a_query_of_its_own(client):
    assert (await client.get("/wall.html?lang=zh&lang=en&at=7/10/50")).status_code == 200


async def test_a_page_may_be_asked_for_without_its_body(client):
    answer = await client.head("/wall.html")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_page_that_the_browser_has_is_not_sent_again(client):
    tag = (await client.get("/wall.html")).headers["etag"]
    answer = await client.get("/wall.html", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (304, b"", "no-cache")


async def test_an_asset_whose_name_holds_its_hash_is_kept_for_ever(client):
    answer = await client.get(HASHED)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert answer.headers["content-type"].startswith("text/javascript")


async def test_an_asset_in_a_folder_of_its_own_is_asked_for_again(client):
    answer = await client.get("/assets/fonts/noto-complete.pbf")
    assert (answer.content, answer.headers["cache-control"]) == (b"glyphs", "no-cache")


@pytest.mark.parametrize(
    "path",
    ["/nothing.html", "/assets/nothing.js", "/assets/", "/assets/fonts", "/assets/../secret", "/assets/..%2f..%2fsecret",
     "/assets/%2e%2e/%2e%2e/secret", "/assets//etc/passwd", "/..%2fsecret.html", "/assets/" + "a" * 300, "/.html"],
)  # fmt: skip
async def test_nothing_outside_of_the_build_is_served(client, path):
    answer = await client.get(path)
    assert (answer.status_code, "not for you" in answer.text) == (404, False)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_link_out_of_the_build_is_not_followed(client, dist):
    (dist / "assets" / "out.txt").symlink_to(dist.parent / "secret")
    assert (await client.get("/assets/out.txt")).status_code == 404


async def test_a_browser_at_the_root_gets_the_hub_page(client):
    answer = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml"})
    assert answer.text == "<title>hub</title>"


@pytest.mark.parametrize("path", ["/wall.html", HASHED, "/?f=html"])
async def test_screens_that_are_not_built_are_a_problem_that_says_how(toy_settings, shared_toy, tmp_path, path):
    settings = toy_settings.model_copy(update={"screens": tmp_path / "none"})
    async with running(settings, shared_toy.url) as app, asking(app) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:onemap:screens-missing")
    assert "make run" in answer.json()["title"]
