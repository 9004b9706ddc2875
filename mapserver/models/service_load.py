"""The JSON of service load."""

from datetime import datetime

from pydantic import Field

from mapserver.models.shapes import NameShape, Shape


class ServiceClassShape(Shape):
    """What is counted."""

    code: str
    name: NameShape


class ServiceCountShape(Shape):
    """Counts of one area, class and period, as the office that holds them has added them up."""

    source: str
    area: str
    area_name: NameShape
    level: str
    kind: str = Field(alias="class")
    since: datetime
    until: datetime
    due: int | None
    done: int | None
    hidden: bool = Field(description="small, or would tell a small one by a difference")
    link: str | None = Field(description="into the office's own system")


class ServiceLoadShape(Shape):
    """Service load of the periods inside a span."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    fewest: int = Field(description="counts from 1 to below it are small")
    classes: list[ServiceClassShape]
    counts: list[ServiceCountShape]
