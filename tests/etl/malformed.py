"""What must hold after a malformed input went through the whole pipeline: all of it failed, or its bad rows did."""

import re
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest

from etl.pipeline import Result
from etl.spec import Source
from layers.core.errors import SourceError
from layers.records.personal import printable
from tests.workshop import INCIDENTS, Workshop, call

Make = Callable[[Workshop], Source]

_ids = count(1)
_TABLES = (
    "incident", "incident_history", "tombstone", "area_version", "risk_area_version", "road", "place", "outbox",
    "quarantine", "finding",
)  # fmt: skip


def declared(town: Workshop, base: dict[str, Any], **changes: Any) -> Source:
    """A source with an id that no other has."""
    return town.source(base, **({"id": f"s{next(_ids)}"} | changes))


def pointed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A base whose places are the file's own geometries."""
    columns = {field: column for field, column in base["columns"].items() if field not in {"lon", "lat"}}
    return base | {"columns": columns} | changes


def calls(*changes: dict[str, Any], **declaration: Any) -> Make:
    """A CSV of calls, of which each is good but for its changes."""

    def make(town: Workshop) -> Source:
        town.csv("calls.csv", [call(number) | change for number, change in enumerate(changes, 1)])
        return declared(town, INCIDENTS, **declaration)

    return make


def contents(town: Workshop) -> dict[str, int]:
    """How many rows each table has."""
    counts = ", ".join(f"(select count(*) from onemap.{table}) as {table}" for table in _TABLES)
    return town.rows(f"select {counts}")[0]


def fails(town: Workshop, make: Make, said: str, kind: type[SourceError] = SourceError) -> None:
    """The whole file fails with a message that names it; the run's record says the same, and nothing has changed."""
    source = make(town)
    town.write_words()
    before = contents(town)
    with pytest.raises(kind) as caught:
        town.run(source)
    message = str(caught.value)
    assert re.search(said, message), message
    assert printable(str(town.folder)) in message
    assert contents(town) == before
    (run,) = town.rows("select * from onemap.run where source = %s", source.id)
    assert (run["state"], run["message"], run["rows_read"]) == ("failed", printable(message), 0)


def refuses(town: Workshop, make: Make, reasons: dict[int, str | list[str]], landed: int = 2) -> Result:
    """Exactly these rows are in quarantine, by number and reason, the others have landed and all are counted."""
    result = town.run(make(town))
    account = result.account
    wanted = {row: said if isinstance(said, list) else [said] for row, said in reasons.items()}
    assert town.reasons(result.run_id) == wanted
    assert account.balanced
    assert (account.inserted + account.updated + account.unchanged, account.quarantined) == (landed, len(wanted))
    (run,) = town.rows("select state, rows_read from onemap.run where run_id = %s", result.run_id)
    assert run == {"state": "done", "rows_read": account.rows_read}
    return result


def table(*cases: tuple[Any, ...]) -> Iterable[Any]:
    """Cases whose first item is the sentence that says what is wrong."""
    return [pytest.param(*case, id=sentence) for sentence, *case in cases]
