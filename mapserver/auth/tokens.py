"""Tokens: who may see what, until when. The table keeps only their keyed digests.

256 random bits need no slow hash; the pepper makes the digests of a stolen table useless.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import DictRow, class_row

from layers.core.audience import Audience
from layers.core.errors import BadValue, NotFound, UnknownArea

_PREFIX = "om_"  # so that a leaked one is recognised
_FORM = re.compile(r"om_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Token:
    """What is kept of a token; `area` is the code of the area it is confined to."""

    token_id: int
    audience: str
    area: str | None
    note: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """One of live, expired and revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token, known or not."""
    return _FORM.fullmatch(text) is not None


def digest(token: str, pepper: bytes) -> bytes:
    """HMAC-SHA-256, bytes[32]: all that is stored of a token."""
    return hmac.digest(pepper, token.encode(), "sha256")


def create(
    connection: psycopg.Connection[DictRow],
    pepper: bytes,
    audience: Audience,
    note: str,
    created_at: datetime,
    expires_at: datetime | None,
) -> str:
    """Make a token of 256 random bits; the text returned is kept nowhere and cannot be shown again."""
    token = _PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        """insert into onemap.token (digest, audience, area_id, note, created_at, expires_at)
        values (%s, %s, %s, %s, %s, %s)""",
        [digest(token, pepper), audience.role.slug, audience.area_id, note, created_at, expires_at],
    )
    return token


def area_id(connection: psycopg.Connection[DictRow], code: str, level: str | None) -> int:
    """The area of that code; `level` is needed only where two levels use the same code.

    Raises
    ------
    UnknownArea : there is none.
    BadValue : there is one on several levels; names them.
    """
    found = connection.execute(
        """select area.area_id, level.code as level from onemap.area
        join onemap.level on level.rank = area.level_rank
        where area.code = %(code)s and (%(level)s::text is null or level.code = %(level)s) order by level.rank""",
        {"code": code, "level": level},
    ).fetchall()
    if not found:
        raise UnknownArea(f"there is no area '{code}'" + (f" of level '{level}'" if level else ""), area=code)
    if len(found) > 1:
        levels = ", ".join(row["level"] for row in found)
        raise BadValue(f"area '{code}' is on several levels ({levels}): name one", parameter="level")
    return int(found[0]["area_id"])


def listed(connection: psycopg.Connection[DictRow]) -> list[Token]:
    """All tokens, oldest first."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(
            """select token_id, audience, area.code as area, note, created_at, expires_at, revoked_at
            from onemap.token left join onemap.area using (area_id) order by token_id"""
        ).fetchall()


def revoke(connection: psycopg.Connection[DictRow], token_id: int, at: datetime) -> None:
    """End a token now; once more changes nothing.

    Raises
    ------
    NotFound : there is no token of that id.
    """
    changed = connection.execute(
        "update onemap.token set revoked_at = coalesce(revoked_at, %s) where token_id = %s", [at, token_id]
    )
    if changed.rowcount == 0:
        raise NotFound(f"there is no token {token_id}", token=token_id)
