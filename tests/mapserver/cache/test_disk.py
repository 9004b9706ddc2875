import os
import random
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mapserver.cache.disk import Disk

MOST = 1_000_000

# Writes records whose content tells their key, until it is killed.
WRITER = """
import sys
from pathlib import Path
from mapserver.cache.disk import Disk
disk, number = Disk(Path(sys.argv[1]), 1_000_000), 0
disk.open()
while True:
    number += 1
    key = f"key {number % 300}"
    disk._write(key, {"number": number}, key.encode() * (number % 2000))
"""


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "cache", MOST)
    made.open()
    yield made
    made.close()


def settled(disk):
    """The same folder as another process finds it when all is written."""
    disk.close()
    again = Disk(disk._folder, MOST)
    again._sweep()
    return again


def size(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def test_a_record_is_found_by_the_next_process_and_by_nobody_else(disk):
    disk.write("a", {"stamp": "1"}, b"content")
    disk.write("b", {"stamp": "2"}, b"")
    again = settled(disk)
    assert again.read("a") == ({"stamp": "1"}, b"content")
    assert again.read("b") == ({"stamp": "2"}, b"")
    assert ("a" in again, "c" in again) == (True, False)
    assert again.read("c") is None
    for path in (again._folder, *again._folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize(
    "spoil", [lambda raw: raw[:-1], lambda raw: raw[:10], lambda raw: raw[:0], lambda raw: raw + b"x"]
)
def test_a_record_that_is_not_whole_is_thrown_away(disk, spoil):
    disk.write("a", {}, b"content")
    again = settled(disk)
    path = again._path("a")
    path.write_bytes(spoil(path.read_bytes()))
    assert again.read("a") is None
    assert not path.exists()
    assert "a" not in again


def test_a_bit_that_turned_is_seen_wherever_it_is(disk):
    disk.write("a", {"stamp": "1"}, b"content")
    again = settled(disk)
    path = again._path("a")
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert again.read("a") is None


def test_a_record_under_another_s_name_is_none(disk):
    disk.write("a", {}, b"content")
    again = settled(disk)
    again._path("b").parent.mkdir(exist_ok=True)
    again._path("a").rename(again._path("b"))
    assert again.read("b") is None


def test_no_more_bytes_are_kept_than_may_be_and_what_was_read_lately_stays(disk):
    for number in range(90):
        disk._write(f"{number}", {}, bytes(10_000))
        os.utime(disk._path(f"{number}"), (number, number))
    assert disk.read("0") is not None
    for number in range(90, 130):
        disk._write(f"{number}", {}, bytes(10_000))
        assert size(disk._folder) <= MOST
    assert disk.read("0") is not None
    assert disk.read("1") is None
    assert disk.read("129") is not None


def test_a_record_that_would_drive_out_many_others_is_not_kept(disk):
    disk._write("a", {}, bytes(MOST // 17))
    disk._write("b", {}, bytes(MOST // 16))
    assert ("a" in disk, "b" in disk) == (True, False)


def test_a_disk_that_is_full_is_left_alone_for_a_while_and_costs_no_answer(tmp_path):
    (tmp_path / "cache").write_text("no folder")
    disk = Disk(tmp_path / "cache", MOST)
    for _ in range(3):
        disk.write("a", {}, b"content")
        time.sleep(0.05)
    assert "a" not in disk
    assert disk._rests_until > time.monotonic()
    disk.close()


def test_processes_that_are_killed_while_they_write_leave_nothing_broken(tmp_path):
    folder, rng = tmp_path / "cache", random.Random(5)
    for _ in range(3):
        writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder)]) for _ in range(2)]
        time.sleep(1.0 + rng.random())
        for writer in writers:
            writer.kill()
            writer.wait()
        disk = Disk(folder, MOST)
        disk._sweep()
        assert size(folder) <= MOST * 1.1
        found = 0
        for number in range(300):
            key = f"key {number}"
            kept = key in disk
            record = disk.read(key)
            assert (record is not None) == kept
            if record is not None:
                found += 1
                assert record[1] == key.encode() * (record[0]["number"] % 2000)
        assert found > 20
    for path in folder.rglob(".*"):
        os.utime(path, (0, 0))
    disk._sweep()
    assert not list(folder.rglob(".*"))
