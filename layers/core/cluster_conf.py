"""What the private cluster's configuration files say: durable, local, and as large as the machine allows."""

import os
from pathlib import Path

PORT = 5432  # only part of the socket's name: nothing listens on the network

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_mb(limits: tuple[Path, ...] = _CGROUP_LIMITS) -> int:
    """Memory of this machine in MiB, or of the container where that is less."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for limit in limits:
        said = limit.read_text().strip() if limit.exists() else "max"
        if said.isdigit():
            sizes.append(int(said))
    return min(sizes) >> 20


def settings(socket_folder: Path, memory_mb: int, cores: int) -> str:
    """Text of postgresql.conf.

    `wal_compression = on` rather than a named method, which PostgreSQL 14 and older do not know. There is no
    statement_timeout: loads and migrations take their time, and the server sets its own for each request.
    """
    return f"""\
# Written by onemap at every start. To change a setting: onemap db psql, then ALTER SYSTEM SET ...
listen_addresses = ''
port = {PORT}
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 100

shared_buffers = {_between(64, memory_mb // 4, 4096)}MB
effective_cache_size = {max(128, memory_mb * 2 // 3)}MB
work_mem = {_between(4, memory_mb // 512, 32)}MB
maintenance_work_mem = {_between(32, memory_mb // 16, 1024)}MB
temp_file_limit = 10GB
max_worker_processes = {max(8, cores)}
max_parallel_workers = {cores}
max_parallel_workers_per_gather = {max(1, cores // 2)}
max_parallel_maintenance_workers = {max(1, cores // 2)}
jit = off
random_page_cost = 1.1
effective_io_concurrency = 100

fsync = on
full_page_writes = on
synchronous_commit = on
wal_compression = on
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 10min
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.02

timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = '../log'
log_filename = 'postgres-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %a '
log_min_duration_statement = 500ms
log_lock_waits = on
"""


def access(account: str) -> tuple[str, str]:
    """Texts of pg_hba.conf and pg_ident.conf: `account` and root are let in as `onemap`, nobody else at all."""
    hba = "local all onemap peer map=onemap\n"
    ident = f"onemap {account} onemap\nonemap root onemap\n"
    return hba, ident


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))
