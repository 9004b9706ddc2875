"""What is posted: a form, of which a place, a category, a text and answers are kept, and nothing of who sent it.

The standard's fields for persons (email, phone, first_name, last_name, device_id, account_id) are taken and
dropped, as are an address, for the map holds places by their coordinates, and the address of a picture, for
nothing is loaded from elsewhere. A picture itself is taken where the city takes photos.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl

from fastapi import Request

from layers.cases.intake import masked
from layers.catalog.city import Category, Question
from layers.core.errors import BadValue
from layers.core.span import parse_instant
from layers.records.personal import personal
from mapserver.body import body_of
from mapserver.open311.upload import MULTIPART, Upload, upload_of

FORM = "application/x-www-form-urlencoded"
MOST_TEXT = 4000

FIELDS = (
    "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id", "email", "device_id",
    "account_id", "first_name", "last_name", "phone", "description", "media_url",
)  # fmt: skip
"""What the standard knows beside `api_key` and `attribute[...]`."""

_MOST_BYTES = 100_000
_MOST_FIELDS = 500
_MOST_ANSWER = 1000
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]*)\](\[\])?")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)

Answer = str | list[str]


@dataclass(frozen=True)
class Posted:
    """A form's fields, the last of each; `answers` has all values by the code of what they answer.

    media : the bytes of what was sent as a photo.
    """

    fields: dict[str, str]
    answers: dict[str, list[str]] = field(default_factory=dict)
    media: bytes | None = None

    @classmethod
    async def of(cls, request: Request) -> Self:
        """Read it.

        Raises
        ------
        HTTPException, TooLarge : as `body_of` does.
        BadValue : it is no form, or has a field that nobody knows.
        """
        upload = await upload_of(request) if uploads(request) else await _encoded(request)
        posted = cls({}, media=upload.media)
        for name, value in upload.texts:
            if "\0" in value:
                raise BadValue(f"{name[:60]}: it holds a NUL", parameter=name[:60])
            if attribute := _ATTRIBUTE.fullmatch(name):
                posted.answers.setdefault(attribute[1], []).append(value)
            elif name in FIELDS or name == "api_key":
                posted.fields[name] = value
            else:
                raise BadValue(f"unknown field '{name[:60]}'", parameter=name[:60])
        return posted

    def service(self, offered: Sequence[Category]) -> Category:
        """The category that is reported.

        Raises
        ------
        BadValue : none is named, or one that is not offered.
        """
        code = self.fields.get("service_code", "")
        found = next((category for category in offered if category.code == code), None)
        if found is None:
            known = ", ".join(category.code for category in offered)
            raise BadValue(f"service_code: '{code[:40]}' is none of {known}", parameter="service_code")
        return found

    def place(self) -> tuple[float, float]:
        """Lon and lat in degrees.

        Raises
        ------
        BadValue : they are missing or no numbers; addresses are not looked up here.
        """
        found = [self.fields.get(name, "").strip() for name in ("long", "lat")]
        for name, text in zip(("long", "lat"), found, strict=True):
            if not text:
                raise BadValue(
                    f"{name}: lat and long are needed; addresses are not looked up here", parameter=name
                )
            if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
                raise BadValue(f"{name}: '{text[:40]}' is no number", parameter=name)
        return float(found[0]), float(found[1])

    def description(self) -> str | None:
        """The text; none where it is blank.

        Raises
        ------
        BadValue : it is too long.
        """
        text = self.fields.get("description", "").strip()
        if len(text) > MOST_TEXT:
            raise BadValue(f"description: it is longer than {MOST_TEXT:,} characters", parameter="description")
        return text or None

    def answers_to(self, questions: Sequence[Question]) -> dict[str, Answer]:
        """Answers by the code of their question, with persons masked.

        Raises
        ------
        BadValue : one that is needed is missing, one is none that its question takes, or nobody asked for it.
        """
        known = {question.code: question for question in questions}
        if unknown := sorted(self.answers.keys() - known.keys()):
            raise BadValue(f"attribute[{unknown[0][:40]}]: nobody asks that", parameter="attribute")
        found: dict[str, Answer] = {}
        for code, question in known.items():
            given = [text.strip() for text in self.answers.get(code, []) if text.strip()]
            if given:
                found[code] = _answer(question, given)
            elif question.required:
                raise BadValue(f"attribute[{code}]: it is needed", parameter="attribute")
        return found


def uploads(request: Request) -> bool:
    """Whether the body is a form that may hold a file."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MULTIPART


async def _encoded(request: Request) -> Upload:
    body = await body_of(request, FORM, _MOST_BYTES)
    try:
        given = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as exc:
        raise BadValue(f"the body is no form in UTF-8: {exc}", parameter="body") from exc
    return Upload(given)


def _answer(question: Question, given: list[str]) -> Answer:
    named = f"attribute[{question.code}]"
    if len(given) > 1 and question.datatype != "multivaluelist":
        raise BadValue(f"{named}: it takes one answer", parameter="attribute")
    if any(len(text) > _MOST_ANSWER for text in given):
        raise BadValue(f"{named}: it is longer than {_MOST_ANSWER:,} characters", parameter="attribute")
    text = given[0]
    match question.datatype:
        case "singlevaluelist" | "multivaluelist":
            keys = [choice.key for choice in question.values]
            if wrong := sorted(set(given) - set(keys)):
                raise BadValue(f"{named}: '{wrong[0][:40]}' is none of {', '.join(keys)}", parameter="attribute")
            return sorted(set(given), key=keys.index) if question.datatype == "multivaluelist" else text
        case "number":
            if not _NUMBER.fullmatch(text):
                raise BadValue(f"{named}: '{text[:40]}' is no number", parameter="attribute")
            if kinds := personal(text):  # it cannot be masked and stay a number
                raise BadValue(f"{named}: it names a person ({', '.join(sorted(kinds))})", parameter="attribute")
            return text
        case "datetime":
            return parse_instant(text, named).isoformat().replace("+00:00", "Z")
        case _:
            return masked(text) or ""
