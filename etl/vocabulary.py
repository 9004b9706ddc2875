"""The city's words in the database: levels, zone types, categories, and what its sources declare."""

from collections.abc import Sequence

from etl.load.staging import Connection
from etl.spec import Source, sources
from layers.catalog.city import Category, City, Level, ZoneType
from layers.core.errors import BadCity

_STORED = {
    "level": "select rank as place, code from onemap.level",
    "zone_type": "select bit as place, code from onemap.zone_type",
}
_CODED = (
    "level", "code", "official_code", "local_code", "parent_code", "zone_type", "category", "origin", "class",
    "kind", "device_id", "version", "deleted",
)  # fmt: skip


def write(connection: Connection, city: City) -> None:
    """Bring the city's words up to date; writing the same again changes nothing.

    Names, colours, weights and the order of categories may change at any time. The rank of a level and the bit
    of a zone type are part of stored rows: new ones go to the end.

    Raises
    ------
    BadCity : a level or zone type that is already stored was moved or removed, or a category that has incidents.
    BadSource : a source cannot be followed.
    """
    with connection.transaction():
        _keep_places(connection, "level", "rank", city.levels, city)
        _keep_places(connection, "zone_type", "bit", city.zone_types, city)
        for rank, level in enumerate(city.levels):
            connection.execute(
                """insert into onemap.level (rank, code, name_zh, name_en) values (%s, %s, %s, %s)
                on conflict (rank) do update set name_zh = excluded.name_zh, name_en = excluded.name_en""",
                [rank, level.code, level.name.zh, level.name.en],
            )
        for bit, zone in enumerate(city.zone_types):
            connection.execute(
                """insert into onemap.zone_type (code, bit, name_zh, name_en, colour) values (%s, %s, %s, %s, %s)
                on conflict (code) do update set name_zh = excluded.name_zh, name_en = excluded.name_en,
                  colour = excluded.colour""",
                [zone.code, bit, zone.name.zh, zone.name.en, zone.colour],
            )
        _write_categories(connection, city.categories, city)
        _write_sources(connection, sources(city))


def _keep_places(
    connection: Connection, table: str, place: str, items: Sequence[Level | ZoneType], city: City
) -> None:
    stored = connection.execute(_STORED[table]).fetchall()
    for row in stored:
        if row["place"] >= len(items) or items[row["place"]].code != row["code"]:
            raise BadCity(
                f"{city.folder}: {table} '{row['code']}' was moved or removed, but stored rows depend on its"
                f" {place}; new ones go to the end",
                folder=str(city.folder),
                key=row["code"],
            )


def _write_categories(connection: Connection, categories: Sequence[Category], city: City) -> None:
    codes = [category.code for category in categories]
    used = connection.execute(
        """select code from onemap.category where code <> all(%s)
        and exists (select from onemap.incident where incident.category = category.code)""",
        [codes],
    ).fetchone()
    if used:
        raise BadCity(
            f"{city.folder}: category '{used['code']}' was removed, but it has incidents",
            folder=str(city.folder),
            key=used["code"],
        )
    connection.execute("delete from onemap.category where code <> all(%s)", [codes])
    _mark_sensitive(connection, [category.code for category in categories if category.sensitive])
    # Ranks are unique: make room before giving them anew.
    connection.execute("update onemap.category set rank = -1 - rank where rank >= 0")
    for rank, category in enumerate(categories):
        connection.execute(
            """insert into onemap.category (code, rank, name_zh, name_en, weight, sensitive)
            values (%s, %s, %s, %s, %s, %s)
            on conflict (code) do update set rank = excluded.rank, name_zh = excluded.name_zh,
              name_en = excluded.name_en, weight = excluded.weight, sensitive = excluded.sensitive""",
            [category.code, rank, category.name.zh, category.name.en, category.weight, category.sensitive],
        )


def _mark_sensitive(connection: Connection, sensitive: list[str]) -> None:
    """Mark the days of the incidents that the public may hear of no more, or may now, for the next release."""
    changed = connection.execute(
        "select code from onemap.category where sensitive <> (code = any(%s))", [sensitive]
    ).fetchall()
    if changed:
        connection.execute(
            """insert into onemap.stale_day
            select distinct (occurred_at at time zone 'UTC')::date from onemap.incident where category = any(%s)
            on conflict do nothing""",
            [[row["code"] for row in changed]],
        )


def _write_sources(connection: Connection, declared: Sequence[Source]) -> None:
    connection.execute("delete from onemap.source where source <> all(%s)", [[source.id for source in declared]])
    for source in declared:
        connection.execute(
            """insert into onemap.source (source, target, title_zh, title_en, format, taken, key, texts)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (source) do update set target = excluded.target, title_zh = excluded.title_zh,
              title_en = excluded.title_en, format = excluded.format, taken = excluded.taken, key = excluded.key,
              texts = excluded.texts""",
            [source.id, source.target, source.title.zh, source.title.en, source.format, source.taken, source.key,
             texts(source)],
        )  # fmt: skip


def texts(source: Source) -> list[str]:
    """The columns that may hold words about persons: all but the key and those of codes and versions."""
    coded = {source.columns[field] for field in _CODED if field in source.columns}
    return [column for column in source.taken if column not in {*source.key, *coded}]
