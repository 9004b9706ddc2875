"""What Schemathesis is told beside its settings."""

from typing import Any
from urllib.parse import urlencode

import schemathesis

LONGEST = 60_000
"""Bytes of a query; a little more and the HTTP library below the server refuses it by itself, without a body."""


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Keep requests to what reaches the server; a method that is not there is asked for without parameters."""
    if case.method != case.operation.method.upper():
        case.query = {}
    elif len(urlencode(case.query or {}, doseq=True)) > LONGEST:
        case.query = {"too_long": "x" * LONGEST}
