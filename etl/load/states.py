"""States of one key in their own order, whatever order they come in.

What is outdated stays out, and what is deleted stays deleted until a later state comes.
"""

from etl.load.staging import Connection

# States of the same version that differ cannot be told apart by age: the greater hash of what the file says stays,
# so that their order plays no part. Where the file says the same and is only read otherwise now, the later load
# counts. A tombstone beats a state of its own version.
_OUTDATED = """
with gone as (
  delete from stated using onemap.incident known
  where known.source = %(source)s and known.source_key = stated.source_key
    and (known.version > stated.version
      or known.version = stated.version and not stated.deleted
        and substring(known.content_hash for 16) > substring(stated.content_hash for 16))
  returning stated.source_key
)
insert into spared select source_key from gone"""

_BURIED = """
with gone as (
  delete from stated using onemap.tombstone known
  where known.source = %(source)s and known.source_key = stated.source_key
    and (known.version > stated.version or known.version = stated.version and not stated.deleted)
  returning stated.source_key
)
insert into spared select source_key from gone"""

_REVIVED = """
delete from onemap.tombstone known using stated
where known.source = %(source)s and known.source_key = stated.source_key and not stated.deleted"""

_BURY = """
with dead as (
  delete from stated where deleted returning source_key, version
), gone as (
  delete from onemap.incident known using dead
  where known.source = %(source)s and known.source_key = dead.source_key returning known.incident_id
), kept as (
  insert into onemap.tombstone (source, source_key, version, run_id)
  select %(source)s, source_key, version, %(run)s from dead where version is not null
  on conflict (source, source_key) do update set version = excluded.version, run_id = excluded.run_id
    where tombstone.version < excluded.version
)
select count(*) as n from gone"""


def outdate(connection: Connection, source: str) -> int:
    """Take out of `stated`, into `spared`, what is older than what is known; returns how many rows gave way."""
    given = {"source": source}
    gone = connection.execute(_OUTDATED, given).rowcount + connection.execute(_BURIED, given).rowcount
    connection.execute(_REVIVED, given)
    return gone


def bury(connection: Connection, source: str, run_id: int) -> int:
    """Take the tombstones out of `stated` and delete what they name; returns how many incidents are gone."""
    found = connection.execute(_BURY, {"source": source, "run": run_id}).fetchone()
    return int(found["n"]) if found else 0
