"""Kill the database, or the server, while cases are moved: each move is there whole or not at all."""

import os
import random
import shutil
import signal
import threading
import time

import httpx
import pytest

from layers.cases import ledger, store
from layers.cases.case import Case, Step
from layers.cases.workflow import Actor
from layers.core.audience import Role
from layers.core.cluster import Cluster
from layers.core.db import connect
from layers.core.migrate import migrate
from layers.core.settings import LimitSettings
from tests import toy
from tests.layers.cases.desk import AT, LOOP, Desk, policies_in, report
from tests.mapserver.conftest import bearer, token
from tests.mapserver.process import served

ROUNDS = int(os.environ.get("ONEMAP_DRILL_ROUNDS", "1"))
MOVERS, CASES = 3, 2
WRITTEN = """select file.version, file.state, file.changed_at,
  (select array_agg(version order by version) from onemap.case_step step where step.case_id = file.case_id) as steps,
  (select array_agg(state order by version) from onemap.case_step step where step.case_id = file.case_id) as states,
  (select array_agg((payload ->> 'version')::int order by seq) from onemap.ledger
    where kind = 'moved' and subject = 'case:' || file.case_id) as told,
  (select array_agg((payload ->> 'version')::int order by seq) from onemap.outbox
    where topic = 'case' and (payload ->> 'id')::bigint = file.case_id) as events
from onemap.case_file file where file.case_id = %s"""


@pytest.fixture
def cluster(home):
    """A database that keeps what it acknowledged."""
    cluster = Cluster(home)
    cluster.start()
    cluster.create_database("toy")
    with connect(cluster.url("toy")) as connection:
        migrate(connection)
        toy.fill(connection, toy.incidents(50))
    return cluster


class Mover(threading.Thread):
    """Moves its own cases as long as it is answered, or until it is told to stop: what was killed may be well again.

    cases : those that were acknowledged, by their numbers.
    """

    def __init__(self, url, headers, number, cases):
        super().__init__()
        self.stopping = threading.Event()
        self.client = httpx.Client(base_url=url, headers=headers, timeout=20)
        self.chance, self.cases = random.Random(number), cases
        self.start()

    def run(self):
        with self.client:
            while self.moved() and not self.stopping.is_set():
                pass

    def moved(self):
        """Whether a move was acknowledged."""
        case_id = self.chance.choice(sorted(self.cases))
        case = self.cases[case_id]
        fitting = [
            move
            for move in LOOP.moves
            if move in case.moves(LOOP, move.by[0]) and move.code != "decline" and move.by != (Actor.CITIZEN,)
        ]
        move = self.chance.choice(fitting)
        unit = "night watch" if case.unit == "sanitation" else "sanitation"
        told = {"reason": "because", "unit": unit, "rating": 4}
        told = {name: told[name] for name in move.needs}
        try:
            answer = self.client.post(
                f"/cases/{case_id}/moves", json={"move": move.code, "version": case.version, **told}
            )
        except httpx.TransportError:
            return False
        if answer.status_code == 200:
            self.cases[case_id] = case.after(LOOP, Step(move.code, move.by[0], case.at, **told))
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200


def is_whole(desk, case_id, acknowledged):
    """Hold one case against its history, the ledger, the outbox and its deadlines; how it stands."""
    row = desk.connection.execute(WRITTEN, [case_id]).fetchone()
    numbers = list(range(1, row["version"] + 1))
    assert acknowledged <= row["version"] <= acknowledged + 1
    assert (row["steps"] or [], row["told"] or [], row["events"]) == (numbers, numbers, [0, *numbers])
    assert row["state"] == (row["states"] or [LOOP.start])[-1]
    _, case, subject = store.read(desk.run(store.by_id(case_id))[0])
    running = [(each.stage, each.start, each.due) for each in desk.policies.running(case, LOOP, subject)]
    terms = [row for row in desk.run(store.deadlines(case_id)) if row["met_at"] is None]
    assert sorted((row["stage"], row["start_at"], row["due_at"]) for row in terms) == sorted(running)
    return case


def test_a_move_that_is_cut_off_is_there_whole_or_not_at_all(cluster, toy_settings, tmp_path):
    chance, url = random.Random(20260302), cluster.url("toy")
    shutil.copytree(toy_settings.city_folder, tmp_path / "cities" / "toy")
    policies = policies_in(tmp_path / "cities" / "toy")
    settings = toy_settings.model_copy(update={"home": tmp_path / "home"})
    settings.home.mkdir()
    env = {f"ONEMAP_LIMITS__{name.upper()}": "1e6" for name in LimitSettings.model_fields} | {
        "ONEMAP_HOME": str(settings.home),
        "ONEMAP_CITIES": str(tmp_path / "cities"),
        "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": url,
        "ONEMAP_SCREENS": str(tmp_path),
        "ONEMAP_SERVER__WORKERS": "1",
    }
    headers = bearer(token(settings, url, Role.ADMIN))
    with connect(url) as connection:
        desk = Desk(connection, policies)
        ids = [desk.register(report(str(number)))["case_id"] for number in range(MOVERS * CASES)]
    known = dict.fromkeys(ids, Case.registered(LOOP, AT))
    for number in range(ROUNDS):
        for victim in ("database", "backend", "server"):
            with served("serve", env=env, log=tmp_path / "log") as server:
                shares = [{each: known[each] for each in ids[n::MOVERS]} for n in range(MOVERS)]
                movers = [Mover(server.url, headers, number * MOVERS + n, shares[n]) for n in range(MOVERS)]
                time.sleep(chance.uniform(1, 1.5))
                if victim == "server":
                    victims = [*server.children(), server.process.pid]
                elif victim == "database":
                    victims = [cluster.status().pid]
                else:
                    with connect(url) as connection:
                        busy = "select pid from pg_stat_activity where datname = 'toy' and pid <> pg_backend_pid()"
                        victims = [connection.execute(busy).fetchone()["pid"]]
                for pid in victims:
                    os.kill(pid, signal.SIGKILL)
                for mover in movers:
                    mover.stopping.set()
                    mover.join(30)
                    assert not mover.is_alive()
            assert cluster.start() is (victim == "database")
            acknowledged = {each: case for share in shares for each, case in share.items()}
            assert sum(case.version for case in acknowledged.values()) > sum(
                case.version for case in known.values()
            )
            with connect(url) as connection:
                desk = Desk(connection, policies)
                for each, case in acknowledged.items():
                    known[each] = is_whole(desk, each, case.version)
                assert desk.run(ledger.broken()) == []
