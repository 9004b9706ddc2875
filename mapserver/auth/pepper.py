"""The server's own secret: without it, who reads the table of tokens can neither use nor guess one.

It lives in `<home>/pepper`. Servers that share one database through ONEMAP_DB__URL need the same file: a token
that one of them made is unknown to a server with another pepper.
"""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from layers.core.errors import BadHome

_BYTES = 32


def pepper(home: Path) -> bytes:
    """Read the secret of 32 bytes, made at the first call with mode 0600; two first calls at once get the same.

    Raises
    ------
    BadHome : it cannot be read or made, or is of another length.
    """
    path = home / "pepper"
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    except OSError as exc:
        raise BadHome(f"cannot use {path}: {exc.strerror}", file=str(path)) from exc
    if len(secret) != _BYTES:
        raise BadHome(f"{path} is not a secret of {_BYTES} bytes: restore it, or remove it", file=str(path))
    return secret


def _make(path: Path) -> None:
    """Write it aside and link it in place, which fails where another process was faster; then its secret holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=".pepper-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        Path(aside).unlink()
