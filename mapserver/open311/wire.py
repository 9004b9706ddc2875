"""Answers in the two formats of Open311: XML, which the standard demands, and JSON."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from xml.etree import ElementTree as ET

from mapserver.negotiate import JSON, json_bytes

XML = "text/xml; charset=utf-8"
MEDIA = {"xml": XML, "json": JSON}

Form = Literal["xml", "json"]

_ITEM = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
    "moves": "move",
    "needs": "need",
}
"""What an item of a list is called in XML, by the name of the list."""

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(form: Form, root: str, value: object) -> bytes:
    """The value in one of the formats, UTF-8; JSON has no name for its root."""
    if form == "json":
        return json_bytes(value)
    element = ET.Element(root)
    _fill(element, value)
    return bytes(ET.tostring(element, encoding="utf-8", xml_declaration=True))


def _fill(element: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, each in value.items():
            _fill(ET.SubElement(element, name), each)
    elif isinstance(value, list | tuple):
        for each in value:
            _fill(ET.SubElement(element, _ITEM[element.tag]), each)
    elif value is not None:
        element.text = _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return _NO_XML.sub("", str(value))
