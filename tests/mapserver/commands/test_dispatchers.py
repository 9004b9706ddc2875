"""Four dispatchers at two processes of a server: each move is made once, by one of them."""

import random
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from layers.cases import ledger
from layers.cases.case import Case, Step
from layers.cases.workflow import Actor, workflows
from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import LimitSettings
from tests.mapserver.conftest import bearer, token
from tests.mapserver.process import served

LOOP = workflows(Path("/nowhere"))["closed_loop"]
DISPATCHERS, TURNS, CASES = 4, 24, 3
TOLD = {"reason": "because", "rating": 4}


@pytest.fixture
def desk(own_toy, toy_settings, tmp_path):
    """Headers of an admin, who holds every seat of the desk, and the address of a server of two processes."""
    settings = toy_settings.model_copy(update={"home": tmp_path / "home"})
    plenty = {f"ONEMAP_LIMITS__{name.upper()}": "1e6" for name in LimitSettings.model_fields}
    env = plenty | {
        "ONEMAP_HOME": str(settings.home),
        "ONEMAP_CITIES": str(toy_settings.cities.resolve()),
        "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": own_toy.url,
        "ONEMAP_SCREENS": str(tmp_path),
        "ONEMAP_SERVER__WORKERS": "2",
    }
    settings.home.mkdir()
    headers = bearer(token(settings, own_toy.url, Role.ADMIN))
    with served("serve", env=env, log=tmp_path / "log") as server:
        yield server.url, headers


class Dispatcher(threading.Thread):
    """Sees a case, waits until all have seen it, and then makes a move; all answers are kept, one a turn."""

    def __init__(self, url, headers, number, ids, together):
        super().__init__()
        self.client = httpx.Client(base_url=url, headers=headers, timeout=30)
        self.chance, self.ids, self.together = random.Random(number), ids, together
        self.number, self.answers = number, []

    def run(self):
        with self.client:
            for turn in range(TURNS):
                self.together.wait(60)
                seen = self.client.get(f"/cases/{self.ids[turn % CASES]}").json()
                move = self.chance.choice([each for each in seen["moves"] if each["code"] != "decline"])
                told = {name: TOLD.get(name, f"unit {self.number} {turn}") for name in move["needs"]}
                self.together.wait(60)
                given = {"move": move["code"], "version": seen["case"]["version"], **told}
                path = f"/cases/{seen['case']['id']}/moves"
                self.answers.append((given, self.client.post(path, json=given)))


def test_of_four_dispatchers_who_move_at_once_one_does_and_the_others_are_told_how_it_stands(desk, own_toy):
    url, headers = desk
    with httpx.Client(base_url=url, headers=headers) as client:
        given = {"category": "theft", "lon": 10.025, "lat": 50.025}
        ids = [client.post("/cases", json=given | {"source_key": f"k{n}"}).json()["id"] for n in range(CASES)]
    together = threading.Barrier(DISPATCHERS)
    dispatchers = [Dispatcher(url, headers, number, ids, together) for number in range(DISPATCHERS)]
    for each in dispatchers:
        each.start()
    for each in dispatchers:
        each.join(120)
        assert len(each.answers) == TURNS

    made = {each: [] for each in ids}
    for turn in range(TURNS):
        answers = [each.answers[turn] for each in dispatchers]
        assert Counter(answer.status_code for _, answer in answers) == {200: 1, 409: DISPATCHERS - 1}
        ((given, won),) = [(given, answer) for given, answer in answers if answer.status_code == 200]
        now = won.json()["case"]
        assert now["version"] == given["version"] + 1
        made[ids[turn % CASES]].append(given)
        for _, lost in answers:
            if lost.status_code == 409:
                assert (lost.json()["state"], lost.json()["version"]) == (now["state"], now["version"])

    with connect(own_toy.url) as connection:
        for case_id, moves in made.items():
            rows = connection.execute(
                """select case_step.*, text as reason from onemap.case_step left join onemap.ledger_text using (seq)
                where case_id = %s order by version""",
                [case_id],
            ).fetchall()
            stored = [(row["move"], row["reason"], row["unit"], row["rating"]) for row in rows]
            assert stored == [(m["move"], m.get("reason"), m.get("unit"), m.get("rating")) for m in moves]
            case = Case.registered(LOOP, rows[0]["at"])
            for row in rows:
                told = {name: row[name] for name in ("reason", "unit", "rating")}
                case = case.after(LOOP, Step(row["move"], Actor(row["actor"]), row["at"], **told))
            kept = connection.execute("select * from onemap.case_file where case_id = %s", [case_id]).fetchone()
            assert (kept["state"], kept["version"], kept["bounces"]) == (case.state, case.version, case.bounces)
        counted = "select count(*) as n from {} where {}"
        told = counted.format("onemap.ledger", "kind = 'moved'"), counted.format("onemap.outbox", "topic = 'case'")
        rows, events = (connection.execute(query.encode()).fetchone()["n"] for query in told)
        assert (rows, events) == (TURNS, TURNS + CASES)
        assert connection.execute(ledger.broken().sql.encode()).fetchone() is None
