"""The OpenAPI document as version 3.0, which the OGC's test suites and older clients read.

3.0 has its own dialect of JSON Schema: no null and no list of types but `nullable`, no `const`, no `prefixItems`,
exclusive bounds as flags, one `example`. More than `x-most` is clamped; OGC API writes that as
`maximum`, from which clients take the size of their pages.
"""

from collections.abc import Mapping
from typing import Any

VERSION = "3.0.3"

_UNKNOWN = ("prefixItems", "contentMediaType", "contentEncoding", "$schema", "propertyNames")
_EXCLUSIVE = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def as_30(document: Mapping[str, Any]) -> dict[str, Any]:
    """A 3.1 document in the words of 3.0; the one given is left as it is."""
    rendered: dict[str, Any] = _rendered(document)
    rendered["openapi"] = VERSION
    return rendered


def _rendered(value: Any) -> Any:
    if isinstance(value, list):
        return [_rendered(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    made = {name: _rendered(each) for name, each in value.items() if name not in _UNKNOWN}
    return _schema(made)


def _schema(made: dict[str, Any]) -> dict[str, Any]:
    """The same schema; what is no schema has none of these words, or has them as names of something else."""
    if isinstance(made.get("const"), str | int | float):
        made["enum"] = [made.pop("const")]
    if isinstance(made.get("examples"), list):
        made["example"] = made.pop("examples")[0]
    for flag, bound in _EXCLUSIVE:
        if isinstance(made.get(flag), int | float) and not isinstance(made[flag], bool):
            made[bound], made[flag] = made[flag], True
    if "x-most" in made:
        made["maximum"] = made.pop("x-most")
    if isinstance(made.get("type"), list):
        made["anyOf"] = [{"type": kind} for kind in made.pop("type")]
    if isinstance(made.get("anyOf"), list):
        _without_null(made)
    if made.get("type") == "array":
        made.setdefault("items", {})
    return made


def _without_null(made: dict[str, Any]) -> None:
    kinds = [kind for kind in made["anyOf"] if kind != {"type": "null"}]
    if len(kinds) < len(made["anyOf"]):
        made["nullable"] = True
    if len(kinds) == 1 and "$ref" not in kinds[0]:
        del made["anyOf"]
        made.update(kinds[0])
    else:
        made["anyOf"] = kinds
