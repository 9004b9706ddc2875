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


def adopt(connection: Connection, source: str, workflow: Workflow, at: datetime) -> None:
    """Make cases of the source's new rows; those that nobody has moved follow what it says now.

    The ledger is locked until the commit; the outbox comes after it, as with a move.
    """
    adopted = adoption.adopt(source, workflow, at)
    connection.execute(adopted.sql.encode(), adopted.params)
