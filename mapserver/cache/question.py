"""What a request asks, as the cache knows it: who asks, the path, and the query without its `v`."""

from typing import Any

from layers.core.audience import Audience
from layers.core.errors import BadValue


def asked(scope: Any, audience: Audience, form: str = "") -> tuple[str, str | None]:
    """The key of an ASGI scope's question, and the `v` that it names.

    `form` holds whatever else an answer depends on, such as its format where a header chose it.

    Raises
    ------
    BadValue : `v` stands there twice.
    """
    query: bytes = scope["query_string"]
    version = None
    if query:
        parts = query.split(b"&")
        versions = [part for part in parts if part.startswith(b"v=")]
        if versions:
            if len(versions) > 1:
                raise BadValue("parameter 'v' is given twice", parameter="v")
            version = versions[0][2:].decode("latin-1")
            parts.remove(versions[0])
            query = b"&".join(parts)
    who = f"{audience.role.slug}.{audience.area_id}"
    return f"{who} {scope['path']}?{query.decode('latin-1')} {form}", version
