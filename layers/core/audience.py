"""Who is asking, and what that one may see: the one place that decides it for every output.

Figures and their sources: police.uk, CMS and NHS suppression practice. The public reads a published
product only; the closed command room reads exact counts, but no exact point and no text.

Of single reports the public reads none. Whoever holds a report's token reads how that one stands, states and
moments without its text or place; the database tells no more for a token (onemap.reports_standing). Sensitive
categories are offered for reporting only to those who may see them as points.
"""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """Audiences, each of which sees what the one before sees and more."""

    PUBLIC = 0
    ROOM = 1
    ANALYST = 2
    PLANNER = 3
    DISPATCHER = 4
    ADMIN = 5

    @property
    def slug(self) -> str:
        """Lower-case name, as written in tokens and answers."""
        return self.name.lower()


@dataclass(frozen=True)
class Policy:
    """What one role may see.

    incidents : may read incidents at all; without it only the published product is there.
    exact_points : true places; else an incident stands on the centre of its base cell.
    attributes : the source's further columns.
    sensitive_points : incidents of sensitive categories as features.
    pushes : may push rows in, and follow the jobs that load them.
    """

    incidents: bool
    exact_points: bool
    attributes: bool
    sensitive_points: bool
    pushes: bool = False

    @property
    def small_counts(self) -> bool:
        """Counts below FEWEST of what offices count of persons, which are hidden from the room."""
        return self.attributes

    @property
    def db_role(self) -> str:
        """The PostgreSQL role, without BYPASSRLS, that a transaction of this audience runs as."""
        if self.exact_points:
            return "onemap_exact"
        if self.attributes:
            return "onemap_analyst"
        return "onemap_room" if self.incidents else "onemap_public"


SENSITIVE_RES = 8
"""Finest H3 resolution at which incidents of sensitive categories are counted, for any audience."""

FEWEST = 10
"""Counts from 1 to below it are small: figures of so few are hidden, as in CMS and CO-CONNECT."""

_POLICIES = {
    Role.PUBLIC: Policy(incidents=False, exact_points=False, attributes=False, sensitive_points=False),
    Role.ROOM: Policy(incidents=True, exact_points=False, attributes=False, sensitive_points=False),
    Role.ANALYST: Policy(incidents=True, exact_points=False, attributes=True, sensitive_points=False),
    Role.PLANNER: Policy(incidents=True, exact_points=False, attributes=True, sensitive_points=False),
    Role.DISPATCHER: Policy(
        incidents=True, exact_points=True, attributes=True, sensitive_points=True, pushes=True
    ),
    Role.ADMIN: Policy(incidents=True, exact_points=True, attributes=True, sensitive_points=True, pushes=True),
}


@dataclass(frozen=True)
class Audience:
    """A role with the area it is confined to; `area_id` none means the whole city."""

    role: Role = Role.PUBLIC
    area_id: int | None = None

    @property
    def policy(self) -> Policy:
        """What this audience may see."""
        return _POLICIES[self.role]


PUBLIC = Audience()
