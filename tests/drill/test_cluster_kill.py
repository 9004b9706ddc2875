"""Kill the database while clients write, and count: what was acknowledged must be there."""

import itertools
import os
import random
import signal
import threading
import time
from contextlib import suppress

import psycopg
import pytest

from layers.core.cluster import Cluster

ROUNDS = int(os.environ.get("ONEMAP_DRILL_ROUNDS", "1"))
WRITERS = 3


class Writer(threading.Thread):
    """Inserts one numbered row after the other, and remembers those that the server acknowledged."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__()
        self.connection = psycopg.connect(url, autocommit=True)
        self.number, self.acknowledged = number, 0
        self.start()

    def run(self) -> None:
        with suppress(psycopg.OperationalError), self.connection:
            for n in itertools.count(1):
                self.connection.execute("insert into written values (%s, %s)", [self.number, n])
                self.acknowledged = n


@pytest.mark.parametrize("victim", ["server", "backend"])  # a lost backend makes the server restart itself
def test_no_acknowledged_row_is_lost_when_the_database_is_killed_mid_write(home, victim):
    chance = random.Random(20210101)
    cluster = Cluster(home)
    cluster.start()
    url = cluster.url("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table written (writer int, n int, primary key (writer, n))")
    for number in range(ROUNDS):
        writers = [Writer(url, number * WRITERS + n) for n in range(WRITERS)]
        time.sleep(chance.uniform(0.3, 0.8))
        pid = cluster.status().pid if victim == "server" else writers[0].connection.info.backend_pid
        os.kill(pid, signal.SIGKILL)
        for writer in writers:
            writer.join(10)
            assert not writer.is_alive()
        assert cluster.start() is (victim == "server")
        with psycopg.connect(url) as connection:
            rows = connection.execute("select writer, count(*), max(n) from written group by writer").fetchall()
        kept = {writer: (count, last) for writer, count, last in rows}
        for writer in writers:
            count, last = kept[writer.number]
            assert count == last
            # One more may have been committed whose acknowledgement was lost on the way.
            assert 0 < writer.acknowledged <= last <= writer.acknowledged + 1
