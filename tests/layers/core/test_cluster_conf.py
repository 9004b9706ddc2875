from pathlib import Path

from layers.core import cluster_conf


def value(text: str, name: str) -> str:
    return next(line.partition(" = ")[2] for line in text.splitlines() if line.startswith(f"{name} = "))


def test_memory_follows_the_machine_within_limits():
    sizes = [
        value(cluster_conf.settings(Path("/run/x"), memory_mb, 2), "shared_buffers")
        for memory_mb in (128, 8192, 262144)
    ]
    assert sizes == ["64MB", "2048MB", "4096MB"]


def test_a_container_counts_by_its_own_limit(tmp_path):
    unlimited, limited, absent = tmp_path / "max", tmp_path / "limit", tmp_path / "absent"
    unlimited.write_text("max\n")
    limited.write_text(f"{64 << 20}\n")
    whole = cluster_conf.memory_mb(())
    assert cluster_conf.memory_mb((unlimited, absent)) == whole > 64
    assert cluster_conf.memory_mb((unlimited, limited)) == 64
