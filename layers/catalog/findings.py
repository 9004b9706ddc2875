"""The findings layer: the ledger of loads, as far as it names a place, for those who judge the data."""

from sqlalchemy import and_, type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import Field, Layer, Look, Zoom
from layers.core.audience import Role
from layers.schema.books import finding, run

FINDINGS = Layer(
    id="findings",
    title=Name(zh="数据问题", en="Data findings"),
    description="What loads repaired in their files, and what they found and left as it is, where it lies.",
    rows=finding.join(run, and_(run.c.run_id == finding.c.run_id, finding.c.place.is_not(None))),
    key=finding.c.finding_id,
    geometry=type_coerce(finding.c.place, NullType()),
    shape="any",
    moment=finding.c.at,
    fields=(
        Field("at", "when it was found", finding.c.at, unit="UTC instant"),
        Field("kind", "what it is: gap, overlap, self_crossing and the like", finding.c.kind),
        Field("changed", "whether the data were changed, or only looked at", finding.c.changed),
        Field("message", "what was found or done", finding.c.message),
        Field("subject", "what it is about: codes of areas, a column", finding.c.subject),
        Field("row_number", "row of the file, where it is one row's", finding.c.row_number),
        Field("amount", "how much, in `unit`", finding.c.amount),
        Field("unit", "unit of `amount`: m2, corners, rings, steps", finding.c.unit),
        Field("source", "source of the load", run.c.source),
        Field("run_id", "number of the load", finding.c.run_id),
    ),
    zoom=Zoom(0, 18),
    look=Look("#f0a35e"),
    least=Role.ANALYST,
    versioned=False,
)
