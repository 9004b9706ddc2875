"""The cookie that carries a token for what cannot send a header: tiles, images and EventSource."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

NAME = "onemap"


def decides(request: Request) -> bool:
    """Whether the cookie, and not the Authorization header, says who is asking."""
    return NAME in request.cookies and "authorization" not in request.headers


def give(answer: Response, token: str, expires_at: datetime | None, *, secure: bool) -> None:
    """Have the browser keep `token` until it expires, else until it is closed; scripts cannot read it."""
    expires = expires_at.astimezone(UTC) if expires_at else None
    answer.set_cookie(NAME, token, expires=expires, secure=secure, httponly=True, samesite="lax")


def clear(answer: Response) -> None:
    """Have the browser forget it."""
    answer.delete_cookie(NAME, httponly=True, samesite="lax")
