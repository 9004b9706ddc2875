"""Cases of what a source loads: a hotline's rows are handled as what citizens report here."""

from datetime import datetime

from etl.load.staging import Connection
from etl.spec import Source
from layers.cases import adoption
from layers.cases.workflow import Workflow, workflows
from layers.catalog.city import City
from layers.core.errors import BadSource


def workflow_of(source: Source, city: City) -> Workflow | None:
    """The workflow that the source's rows follow; none where they become no cases.

    Raises
    ------
    BadSource : the city has none of that code; names those that it has.
    """
    if source.cases is None:
        return None
    known = workflows(city.folder)
    if source.cases not in known:
        raise BadSource(
            f"{source.path}: cases: '{source.cases}' is none of {', '.join(sorted(known))}",
            file=str(source.path),
            key="cases",
        )
    return known[source.cases]


def follow(
    connection: Connection, city: City, at: datetime, source: str | None = None, adopting: Workflow | None = None
) -> None:
    """Have cases follow what their rows say now, of one source or of all; and make some of the new rows.

    The ledger and the outbox are locked until the commit, as with a move.
    """
    known = workflows(city.folder).values()
    if source is not None and adopting is not None:
        asked = adoption.adopt(source, adopting, at, known)
    else:
        asked = adoption.follow(source, known, at)
    connection.execute(asked.sql.encode(), asked.params)
