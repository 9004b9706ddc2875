"""CQL2 as callers write it: text or JSON, read into the tree that CQL2's own JSON is.

The parser of texts descends by recursion in native code: too deep a text would end the process, and a wrong one
takes twice as long with each bracket that it is nested in. So both are counted first.
"""

import re
from itertools import accumulate
from typing import Any, Literal

import cql2
import orjson

from layers.core.errors import BadValue

Language = Literal["cql2-text", "cql2-json"]

LONGEST = 8000
"""Characters of an expression."""

MOST_WORK = 200_000
"""Characters of a text, each counted twice as much with each bracket that it stands in; a tenth of a second."""

MOST_OPERATORS = 500

_DEEP = 20  # one character there is too much already
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"[^"]*\"""")
_OPERATOR = re.compile(r"[-+*/%^]|\b(?:and|or|not|div)\b", re.IGNORECASE)
_STEP = {"(": 1, ")": -1}


def read(text: str, language: Language = "cql2-text", parameter: str = "filter") -> Any:
    """The tree of an expression; what its names and values mean is not looked at.

    Raises
    ------
    BadValue : too long, too deep, or no CQL2.
    """
    if len(text) > LONGEST:
        raise BadValue(f"{parameter}: has {len(text)} characters, {LONGEST} are taken", parameter=parameter)
    try:
        if language == "cql2-json":
            return orjson.loads(text)
        _check(text, parameter)
        return cql2.parse_text(text).to_json()
    except orjson.JSONDecodeError as exc:
        raise BadValue(f"{parameter}: is no JSON: {exc}", parameter=parameter) from exc
    except cql2.ParseError as exc:
        where = " ".join(str(exc).split())[:200]
        raise BadValue(f"{parameter}: is no CQL2 text: {where}", parameter=parameter) from exc


def _check(text: str, parameter: str) -> None:
    bare = _QUOTED.sub("''", text)
    depths = accumulate(_STEP.get(each, 0) for each in bare)
    if sum(1 << min(max(depth, 0), _DEEP) for depth in depths) > MOST_WORK:
        raise BadValue(f"{parameter}: too much within brackets within brackets", parameter=parameter)
    if len(_OPERATOR.findall(bare)) > MOST_OPERATORS:
        raise BadValue(f"{parameter}: more than {MOST_OPERATORS} operators", parameter=parameter)
