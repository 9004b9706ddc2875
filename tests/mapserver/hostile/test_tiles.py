"""Bad inputs 34-37 and 41-44: tiles, heat, and the headers around them."""

import re

import pytest

from tests.mapserver.hostile.conftest import refused


@pytest.mark.parametrize("layer", ["/tiles/areas", "/heat/all"])
@pytest.mark.parametrize("at", ["99/0/0", "3/8/0", "3/0/8", "3/-1/0", "3/0/-1", "-1/0/0", f"24/{2**24}/0"])
async def test_34_a_tile_outside_the_pyramid_is_not_there(api, layer, at):
    refused(await api.get(f"{layer}/{at}.mvt"), 404)


@pytest.mark.parametrize("x", ["x", "270.0", "%D9%A2%D9%A7%D9%A0", "2_70", "%20270", "%20"])
@pytest.mark.parametrize(
    "path",
    ["/tiles/areas/9/{}/173.mvt", "/collections/areas/tiles/WebMercatorQuad/9/173/{}", "/heat/all/9/{}/173.mvt"],
)
async def test_34_a_tile_whose_numbers_are_none_is_400_or_not_there(api, path, x):
    assert (await api.get(path.format(270))).status_code == 200
    answer = await api.get(path.format(x))
    refused(answer, answer.status_code)
    assert answer.status_code in {400, 404}


@pytest.mark.parametrize("prefix", ["/", "/assets/", "/tiles/", "/tiles/areas/3/1/", "/collections/"])
@pytest.mark.parametrize(
    "way", ["..%2f..%2fetc%2fpasswd", "..%5c..%5cetc%5cpasswd", "%2e%2e/%2e%2e/etc/passwd", "....//etc/passwd"]
)
async def test_35_a_way_out_of_the_folder_leads_nowhere(api, prefix, way):
    answer = await api.get(f"{prefix}{way}")
    assert answer.status_code in {400, 404, 503}  # 503: no screens are built here at all
    assert "root:" not in answer.text


async def test_37_an_empty_tile_is_204_by_every_way(api):
    for url in (
        "/tiles/areas/9/0/0.mvt",
        "/tiles/incidents/12/0/0.mvt",
        "/tiles/incidents/0/0/0.mvt",
        "/heat/all/9/0/0.mvt",
    ):
        answer = await api.get(url)
        assert (answer.status_code, answer.content) == (204, b""), url


async def test_36_an_unknown_tile_matrix_set_is_not_there(api):
    for url in ("/tileMatrixSets/nope", "/collections/areas/tiles/nope", "/collections/areas/tiles/nope/0/0/0"):
        refused(await api.get(url), 404)


async def test_40_a_version_that_never_was_answers_what_is_now_and_is_kept_nowhere(public):
    plain = await public.get("/tiles/areas/9/270/173.mvt")

    def kept(text):
        return re.search(r"^onemap_cache_bytes\S* (\S+)", text, re.MULTILINE)[1]

    before = kept((await public.get("/metrics")).text)
    for number in range(50):
        answer = await public.get(f"/tiles/areas/9/270/173.mvt?v={number:012x}")
        assert (answer.status_code, answer.content) == (200, plain.content)
        assert "immutable" not in answer.headers["cache-control"]
    assert kept((await public.get("/metrics")).text) == before


@pytest.mark.parametrize("res", ["16", "-1", "11", "9.5", "x", str(10**30)])
async def test_41_an_h3_resolution_that_is_none_is_refused(api, res):
    refused(await api.get(f"/heat/all/cells?res={res}"), 400, "res")


async def test_42_the_whole_world_at_the_finest_resolution_is_no_more_than_there_is(api, shared_toy):
    answer = await api.get("/heat/all/cells?res=10&bbox=-180,-90,180,90")
    assert (answer.status_code, answer.json()["total"] <= len(shared_toy.rows)) == (200, True)
    refused(await api.get("/heat/all/cells?res=15&bbox=-180,-90,180,90"), 400, "res")


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}]
)
async def test_43_links_do_not_follow_a_forged_host(town, settings, headers):
    from tests.mapserver.conftest import asking, running  # noqa: PLC0415

    server = settings.server.model_copy(update={"public_url": "https://map.example"})
    async with running(settings.model_copy(update={"server": server}), town.url) as app, asking(app) as client:
        for path in ("/", "/collections", "/collections/areas/items", "/tiles/areas.json", "/api"):
            answer = await client.get(path, headers={**headers, "Accept": "application/json"})
            assert (answer.status_code, "evil" in answer.text) == (200, False), path


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1"}, {"Range": "bytes=9999999-"}, {"Range": "lines=x"}, {"Range": "bytes=-"},
        {"If-None-Match": "garbage"}, {"If-None-Match": '"'}, {"If-None-Match": ",,,"}, {"If-None-Match": 'W/"x", "'},
        {"If-Modified-Since": "never"}, {"Accept-Encoding": "gzip;q=x, *;;"}, {"Accept": ";;,/"}, {"Accept-Language": "\xff"},
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "url", ["/tiles/areas/9/270/173.mvt", "/collections/areas/items", "/heat/all/9/270/173.mvt"]
)
async def test_44_headers_of_garbage_are_passed_over(api, url, headers):
    answer = await api.get(url, headers={name: value.encode("latin-1") for name, value in headers.items()})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "url",
    ["/collections/areas/items/1", "/collections/areas/items", "/tiles/areas/9/270/173.mvt", "/heat/all.json"],
)
async def test_44_an_answer_that_the_caller_has_is_304_however_he_says_so(api, url):
    await api.get(url)
    tag = (await api.get(url)).headers["etag"].removeprefix("W/")
    for said in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = await api.get(url, headers={"If-None-Match": said})
        assert (answer.status_code, answer.content) == (304, b""), said
