"""One stated row a key: who stands for it, who gave way, and who contradicts whom.

Few keys stand more than once, so only those are looked at closely.
"""

from dataclasses import dataclass

from etl.load.staging import Connection

_NAMED = 5

_REPEATED = """
create temporary table repeated on commit drop as
select source_key from stated group by source_key having count(*) > 1"""

_NUMBER = """
update stated set source_key = stated.source_key || '#' || numbered.place
from (
  select row_number, row_number() over (partition by source_key order by row_number) as place
  from stated join repeated using (source_key)
) numbered
where numbered.row_number = stated.row_number and numbered.place > 1"""

# `standing` 1 are the rows of a key's latest version, `last` the one of them that stands for it. They differ by
# what they say, not by the hash of how the file says it, which may stand before it; tombstones do not.
_CONTESTED = """
create temporary table contested on commit drop as
select row_number, source_key,
  case when deleted then '' else substring(content_hash from octet_length(content_hash) - 15) end as content,
  rank() over (partition by source_key order by version desc nulls last) as standing,
  row_number() over (partition by source_key order by version desc nulls last, row_number desc) = 1 as last
from stated join repeated using (source_key)"""

_CONTRARY = """
create temporary table contrary on commit drop as
select source_key, array_agg(row_number order by row_number) as rows
from contested where standing = 1
group by source_key having count(distinct content) > 1"""

_REFUSE = """
insert into onemap.quarantine (run_id, file_sha256, row_number, reasons, excerpt)
select %(run)s, %(sha256)s, stated.row_number,
  array[format(
    'key ''%%s'' stands in rows %%s%%s with different content',
    stated.source_key, array_to_string(rows[:%(named)s], ', '),
    case when cardinality(rows) > %(named)s then ' ...' else '' end
  )],
  jsonb_strip_nulls(jsonb_build_object('category', category, 'occurred_at', occurred_at))
from stated join contrary using (source_key) join contested using (row_number) where contested.standing = 1"""

_SPARE = "insert into spared select source_key from contrary"

_GIVE_WAY = """
delete from stated using contested
where contested.row_number = stated.row_number
  and (not contested.last or exists (select from contrary where contrary.source_key = contested.source_key))"""


@dataclass(frozen=True)
class Settled:
    """How many rows left the staged table: given way to another of the same file, or in quarantine."""

    superseded: int = 0
    quarantined: int = 0


def number_equals(connection: Connection) -> None:
    """Rows that are known by their content alone: the second of equals gets `#2`, and so on; all of them stay."""
    if connection.execute(_REPEATED).rowcount:
        connection.execute(_NUMBER)


def settle(connection: Connection, run_id: int, sha256: str, *, ordered: bool) -> Settled:
    """Leave one row a key in `stated`, which has what `incident_rows.stated` makes of each row.

    The latest version counts. Among rows of the same version, or without one: those that say the same are one.
    Where they differ, the last counts if the file is `ordered`; if it is not, nobody knows which is true, and each
    goes into quarantine and its key into `spared`, so that their order plays no part.
    """
    if not connection.execute(_REPEATED).rowcount:
        return Settled()
    connection.execute(_CONTESTED)
    connection.execute(_CONTRARY)
    if ordered:
        connection.execute("truncate contrary")
    given = {"run": run_id, "sha256": sha256, "named": _NAMED}
    quarantined = connection.execute(_REFUSE, given).rowcount
    connection.execute(_SPARE)
    return Settled(connection.execute(_GIVE_WAY).rowcount - quarantined, quarantined)
