"""A photo with a report: off by default, for whoever handles the case alone, and gone when it is of no more use."""

import io
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from PIL import Image

from etl.work import Town
from layers.cases import ledger, photos
from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import IntakeSettings, LimitSettings
from layers.records import photo
from tests.layers.records.test_photo import bomb, picture, told
from tests.mapserver.asked import POLICY, Asked
from tests.mapserver.conftest import Moving, asking, running

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIELDS = {"service_code": "theft", "lat": "50.025", "long": "10.025", "description": "a hole"}
ON = "\n[report]\nphotos = true\nphoto_days = 5\nphotos_per_hour = 3\n"


class Photographed(Asked):
    """Sends photos, and looks for them."""

    async def report(self, media=None, headers=None, files=None, **fields):
        sent = files or {"media": ("IMG_1.jpg", picture(exif=told()) if media is None else media, "image/jpeg")}
        return await self.client.post(
            "/open311/v2/requests.json", data=FIELDS | fields, files=sent, headers=headers or {}
        )

    async def photo(self, case_id, role=Role.DISPATCHER, area=None):
        return await self.get(f"/cases/{case_id}/photo", role, area)

    async def remove(self, case_id, role=Role.DISPATCHER, area=None):
        return await self.client.delete(f"/cases/{case_id}/photo", headers=self._headers(role, area))

    def rows(self, sql, *given):
        with connect(self.city.url) as connection:
            return connection.execute(sql, list(given)).fetchall()

    def forget(self, days):
        self.app.state.clock.at += timedelta(days=days)
        town = Town(self.settings.city_folder, self.city.url, self.app.state.clock)
        town.forget_photos(lambda *_: None)
        return [row["case_id"] for row in self.rows("select case_id from onemap.case_photo order by 1")]


@asynccontextmanager
async def _city(own_toy, toy_settings, tmp_path, report, **settings):
    folder = tmp_path / "toy"
    shutil.copytree(toy_settings.city_folder, folder)
    (folder / "deadlines.toml").write_text(POLICY)
    (folder / "city.toml").write_text((folder / "city.toml").read_text() + report)
    given = {"cities": tmp_path, "intake": IntakeSettings(public=True)} | settings
    settings = toy_settings.model_copy(update=given)
    async with running(settings, own_toy.url) as app, asking(app) as client:
        app.state.clock = Moving(AT)
        yield Photographed(app, client, settings, own_toy)


@pytest.fixture
async def city(own_toy, toy_settings, tmp_path):
    """An open city that takes three photos an hour, its clock set by hand."""
    async with _city(own_toy, toy_settings, tmp_path / "on", ON) as made:
        yield made


@pytest.fixture
async def plain(own_toy, toy_settings, tmp_path):
    """An open city that says nothing of photos."""
    async with _city(own_toy, toy_settings, tmp_path / "off", "") as made:
        yield made


async def test_photos_are_off_until_the_city_turns_them_on(plain, city):
    refused = await plain.report()
    assert (refused.status_code, "takes no photos" in refused.json()[0]["description"]) == (400, True)
    assert plain.rows("select count(*) from onemap.case_file") == [{"count": 0}]
    assert [(await each.client.get("/city")).json()["photo_days"] for each in (plain, city)] == [None, 5]


async def test_a_photo_goes_to_whoever_handles_the_case_and_to_nobody_else(city):
    taken = await city.report()
    assert taken.status_code == 201, taken.text
    held = taken.json()[0]["token"]
    found = await city.photo(1)
    assert (found.status_code, found.headers["content-type"]) == (200, "image/jpeg")
    assert found.headers["cache-control"] == "no-store"
    with Image.open(io.BytesIO(found.content)) as image:
        assert dict(image.getexif()) == {}
    assert b"Secretphone" not in found.content
    for role, area, status in (
        (Role.ADMIN, None, 200), (Role.DISPATCHER, "V1", 200), (Role.DISPATCHER, "V2", 404),
        (Role.PLANNER, None, 403), (Role.ANALYST, None, 403), (Role.ROOM, None, 403), (None, None, 403),
    ):  # fmt: skip
        assert (await city.photo(1, role, area)).status_code == status, (role, area)
    assert [(await city.get("/cases/1", role)).json()["photo"] for role in (Role.DISPATCHER, Role.ROOM)] == [
        True,
        False,
    ]
    links = {}
    for role, number in ((Role.DISPATCHER, "1"), (Role.ROOM, "1"), (None, held)):
        answer = await city.client.get(f"/open311/v2/requests/{number}.json", headers=city._headers(role, None))
        links[role] = answer.json()[0]["media_url"]
    assert links == {Role.DISPATCHER: "http://map.test/cases/1/photo", Role.ROOM: None, None: None}


async def test_no_role_below_reads_photos_in_the_database_and_a_district_only_its_own(city):
    await city.report()

    def seen(role, area):
        with connect(city.city.url) as connection:
            connection.execute(f"set local role {role}".encode())
            connection.execute("select set_config('onemap.area_id', %s, true)", [area])
            return connection.execute("select count(*) from onemap.case_photo").fetchall()[0]["count"]

    assert seen("onemap_exact", "") == 1
    assert seen("onemap_exact", str(city.city.area_id("V1"))) == 1
    assert seen("onemap_exact", str(city.city.area_id("V2"))) == 0
    for role in ("onemap_public", "onemap_room", "onemap_analyst"):
        with pytest.raises(Exception, match="permission denied"):
            seen(role, "")


async def test_a_photo_that_is_none_is_refused_and_its_report_not_half_stored(city):
    whole = picture(size=(300, 200))
    for media in (b"%PDF-1.7", whole[:400], bomb(50_000, 50_000), picture("GIF")):
        refused = await city.report(media)
        assert refused.status_code == 400, refused.text
        assert "media" in refused.json()[0]["description"]
    long = await city.report(b"\xff" * (photo.MOST_BYTES + 200_000))
    assert long.status_code == 413
    two = [("media", ("a.jpg", whole, "image/jpeg")), ("media", ("b.jpg", whole, "image/jpeg"))]
    other = {"picture": ("a.jpg", whole, "image/jpeg")}
    for files, told_of in ((two, "one photo"), (other, "picture")):
        refused = await city.report(files=files)
        assert (refused.status_code, told_of in refused.text) == (400, True), refused.text
    assert city.rows("select count(*) from onemap.case_file") == [{"count": 0}]


BROKEN = [
        b"", b"--x", b"--x--", b"--y\r\n\r\n\r\n--y--", b"--x\r\n\r\nno name\r\n--x--\r\n", b"\r\n--x\r\nA: b\r\n\r\nc\r\n--x",
        b'--x\r\nContent-Disposition: form-data; name="description"\r\n\r\n\xff\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="lat"\r\n\r\n\0\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="\r\n\r\n\r\n--x--', b"--x\r\n" * 600 + b"--x--",
        b"--x\r\nContent-Disposition: form-data; name*=utf-8''lat\r\n\r\n1\r\n--x--",
]  # fmt: skip


async def test_a_form_in_parts_that_is_broken_is_a_mistake_of_the_caller(city):
    for body, boundary in product(BROKEN, ("; boundary=x", "", "; boundary=")):
        answer = await city.client.post(
            "/open311/v2/requests.json", content=body, headers={"Content-Type": f"multipart/form-data{boundary}"}
        )
        assert answer.status_code == 400, (body, answer.text)


async def test_an_empty_file_field_is_a_report_without_a_photo_and_a_link_is_not_followed(city):
    taken = await city.report(
        files={"media": ("", b"", "application/octet-stream")}, media_url="http://there.test/1.jpg"
    )
    assert taken.status_code == 201, taken.text
    assert "nothing is loaded from elsewhere" in taken.json()[0]["service_notice"]
    assert (await city.photo(1)).status_code == 404
    assert (await city.get("/cases/1")).json()["photo"] is False


async def test_only_so_many_photos_an_hour_are_kept_and_the_reports_come_through(city):
    notices = [(await city.report()).json()[0]["service_notice"] for _ in range(4)]
    assert ["was not kept" in notice for notice in notices] == [False, False, False, True]
    assert city.rows("select count(*) from onemap.case_file") == [{"count": 4}]
    city.app.state.clock.at += timedelta(minutes=61)
    assert "was not kept" not in (await city.report()).json()[0]["service_notice"]


async def test_an_upload_is_paid_for_before_it_is_read(own_toy, toy_settings, tmp_path):
    few = LimitSettings(public_burst=150, public_per_s=0.01)
    async with _city(own_toy, toy_settings, tmp_path, ON, limits=few) as city:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        first, second = [
            await city.client.post("/open311/v2/requests.json", content=b"x", headers=headers) for _ in range(2)
        ]
        assert (first.status_code, second.status_code) == (400, 429)


async def test_a_dispatcher_removes_a_photo_at_once_and_the_ledger_says_only_that(city):
    await city.report()
    for role, area, status in (
        (Role.ROOM, None, 403), (None, None, 403), (Role.DISPATCHER, "V1", 403), (Role.DISPATCHER, None, 204),
        (Role.DISPATCHER, None, 404),
    ):  # fmt: skip
        assert (await city.remove(1, role, area)).status_code == status, (role, area)
    assert (await city.photo(1)).status_code == 404
    rows = city.rows("select subject, payload from onemap.ledger where kind = 'photo_removed'")
    assert rows == [{"subject": "case:1", "payload": {"by": "dispatcher"}}]
    assert city.rows("select count(*) from onemap.case_photo") == [{"count": 0}]


async def test_a_photo_goes_some_days_after_its_case_has_ended_and_not_before(city):
    for _ in range(3):
        await city.report()
    await city.post("/cases/2/merge", {"into": 1})
    assert city.forget(100) == [1, 2, 3]
    await city.move(1, 0, "decline", reason="not ours")  # ends it, and what is merged into it
    assert city.forget(4.9) == [1, 2, 3]
    with connect(city.city.url) as connection:
        waits = photos.outlived(city.app.state.clock.at - timedelta(days=5))
        assert connection.execute(waits.sql.encode(), waits.params).fetchall() == [{"waiting": False}]
    assert city.forget(0.2) == [3]
    rows = city.rows("select subject, payload from onemap.ledger where kind = 'photo_removed' order by seq")
    assert rows == [{"subject": f"case:{number}", "payload": {"by": "age"}} for number in (1, 2)]
    assert city.rows(ledger.broken().sql) == []
