"""Webhooks: a signed POST to an address that was looked at just before, and nowhere else.

The name is resolved here, every address that it has must be of the open Internet, and the connection goes to one
of those: a name that changes its mind in between leads nowhere. No redirect is followed and no proxy asked.
"""

import asyncio
import hashlib
import hmac
import socket
import ssl
from datetime import datetime
from functools import cache
from urllib.parse import urlsplit

import httpx

from etl.senders.outcome import Outcome
from layers.push.subscription import closed

WITHIN_S = 15.0
"""All of one attempt."""

_TOO_EARLY, _TOO_MANY, _TIMEOUT = 425, 429, 408
_PORTS = {"http": 80, "https": 443}


def sign(secret: str, at: datetime, body: bytes) -> str:
    """What Onemap-Signature says: `t=`, seconds since 1970, and `v1=`, HMAC-SHA-256 of "t.body" in hex."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def post(url: str, body: bytes, headers: dict[str, str], *, private: bool, within_s: float = WITHIN_S) -> Outcome:
    """Send once; `private` allows closed networks. Of the answer only the status is read."""
    return asyncio.run(_within(url, body, headers, private=private, within_s=within_s))


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


async def _within(url: str, body: bytes, headers: dict[str, str], *, private: bool, within_s: float) -> Outcome:
    try:
        async with asyncio.timeout(within_s):
            return await _post(url, body, headers, private=private)
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(sent=False, detail="no answer in time")
    except OSError:
        return Outcome(sent=False, detail="the name cannot be resolved")
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        return Outcome(sent=False, detail=f"no connection: {type(exc).__name__}")


async def _post(url: str, body: bytes, headers: dict[str, str], *, private: bool) -> Outcome:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not private and any(map(closed, addresses)):
        return Outcome(sent=False, detail="the address is of a closed network")
    target = httpx.URL(url).copy_with(host=addresses[0], port=port)
    given = headers | {"Host": parts.netloc}
    async with (
        httpx.AsyncClient(verify=_trust(), trust_env=False, follow_redirects=False, timeout=None) as client,  # noqa: S113 (see above)
        client.stream("POST", target, content=body, headers=given, extensions={"sni_hostname": host}) as answer,
    ):
        status = answer.status_code
    sent = 200 <= status < 300  # noqa: PLR2004
    theirs = 400 <= status < 500 and status not in (_TIMEOUT, _TOO_EARLY, _TOO_MANY)  # noqa: PLR2004
    return Outcome(sent, f"status {status}", theirs)
