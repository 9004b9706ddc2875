"""The JSON of Open311 GeoReport v2; its XML has the same members."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, RootModel

from mapserver.models.shapes import Shape

MOST_REASON = 1000


class EndpointShape(Shape):
    """Where a version of the standard is served."""

    specification: str
    url: str
    changeset: datetime
    type: Literal["production", "test"]
    formats: list[str]


class DiscoveryShape(Shape):
    """What is served where, and whom to ask."""

    changeset: datetime
    contact: str
    key_service: str
    endpoints: list[EndpointShape]


class ServiceShape(Shape):
    """A category that can be reported."""

    service_code: str
    service_name: str
    description: str
    metadata: bool = Field(description="whether it has a definition")
    type: Literal["realtime", "batch", "blackbox"]
    keywords: str
    group: str


class ServicesShape(RootModel[list[ServiceShape]]):
    """All that can be reported."""


class ValueShape(Shape):
    """An answer that is offered."""

    key: str
    name: str


class AttributeShape(Shape):
    """A question of a service."""

    variable: bool
    code: str
    datatype: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
    required: bool
    datatype_description: str
    order: int
    description: str
    values: list[ValueShape]


class DefinitionShape(Shape):
    """What is asked of whoever reports something."""

    service_code: str
    attributes: list[AttributeShape]


class AnsweredShape(Shape):
    """An answer to one of a service's questions."""

    code: str
    value: str


class NoteShape(Shape):
    """One entry of a request's history."""

    datetime: datetime
    description: str
    type: str


class AskShape(Shape):
    """A move that whoever holds the token can make; what it needs is told with it."""

    code: str
    name: str
    needs: list[Literal["reason", "unit", "rating"]]


class ExtendedShape(Shape):
    """How the workflow has it; `rating` and `moves` are for whoever holds the token."""

    state: str
    state_since: datetime
    merged_into: int | None = None
    rating: int | None = Field(None, description="what that one said of it")
    moves: list[AskShape] | None = None


class RequestShape(Shape):
    """A report; what the caller may not read is null. The last three members come with `extensions=true`."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str
    service_name: str
    service_code: str
    description: str | None
    agency_responsible: str | None
    service_notice: str | None
    requested_datetime: datetime
    updated_datetime: datetime
    expected_datetime: datetime | None
    address: str | None
    address_id: str | None
    zipcode: str | None
    lat: float | None
    long: float | None
    media_url: str | None
    extended_attributes: ExtendedShape | None = None
    attributes: list[AnsweredShape] | None = None
    notes: list[NoteShape] | None = None


class RequestsShape(RootModel[list[RequestShape]]):
    """Reports, the latest first."""


class TakenShape(Shape):
    """A report that was taken: its number for who reads cases, else the token that shows how it stands."""

    service_request_id: str | None = None
    token: str | None = None
    service_notice: str | None
    account_id: str | None


class TakenListShape(RootModel[list[TakenShape]]):
    """The one that was taken."""


class NewAsk(Shape):
    """A move of whoever holds the token of a report."""

    model_config = ConfigDict(extra="forbid", strict=True)

    move: str = Field(max_length=40)
    rating: int | None = Field(None, ge=1, le=5)
    reason: str | None = Field(None, max_length=MOST_REASON, description="personal spans are masked")


class TokenShape(Shape):
    """Under which id the caller can ask for the report of a token."""

    service_request_id: str
    token: str


class TokensShape(RootModel[list[TokenShape]]):
    """The one of that token."""


class ErrorShape(Shape):
    """What was wrong."""

    code: int
    description: str


class ErrorsShape(RootModel[list[ErrorShape]]):
    """All that was wrong: one thing at a time."""
