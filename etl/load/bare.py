"""An empty table is filled without its key and indexes, which are built afterwards: that is faster."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.load.staging import Connection

# Whatever costs time with every row but can be built at once: the unique key and the secondary indexes.
_BUILT = """
select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
  format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
from pg_constraint where conrelid = 'onemap.incident'::regclass and contype = 'u'
union all
select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
from pg_index where indrelid = 'onemap.incident'::regclass
  and not exists (select from pg_constraint where conindid = indexrelid)
order by make"""


@contextmanager
def bare(connection: Connection) -> Iterator[None]:
    """Take the key and the indexes off onemap.incident, and put them back afterwards.

    Only for a table without rows: one that has rows has readers, which would wait.
    """
    built = connection.execute(_BUILT).fetchall()
    for part in built:
        connection.execute(part["drop"].encode())
    # The heat stores are told once that all is new; to tell them of each row would take longer.
    connection.execute("alter table onemap.incident disable trigger keep_heat_of_inserts")
    yield
    connection.execute("alter table onemap.incident enable trigger keep_heat_of_inserts")
    connection.execute("select onemap.renew_heat()")
    for part in built:
        connection.execute(part["make"].encode())
    connection.execute("analyze onemap.incident")
