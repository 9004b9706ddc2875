"""How a feed writes values. Each becomes text, as in a CSV file, so that it is the same in every answer.

Times become ISO 8601 text; those that a feed writes in the same way already stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EPOCH_MS = "epoch_ms"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def pick(said: Any, path: str) -> Any:
    """The value at a dotted path, none if there is none; a member whose own name has the dots comes first."""
    if not isinstance(said, Mapping):
        return None
    if path in said:
        return said[path]
    head, _, rest = path.partition(".")
    return pick(said[head], rest) if rest and head in said else None


@dataclass(frozen=True)
class Wording:
    """How times are written, by column: `epoch_ms`, a strptime pattern, or, where none is named, ISO 8601.

    A time without an offset is one of `zone`.
    """

    zone: ZoneInfo
    times: Mapping[str, str]

    def text(self, said: Mapping[str, Any], column: str) -> str | None:
        """The value of a column as text.

        Raises
        ------
        ValueError : it is no plain value; says what it is.
        """
        value = pick(said, column)
        if value is None:
            return None
        if isinstance(value, dict | list):
            kind = "an object" if isinstance(value, dict) else "a list"
            raise ValueError(f"{column} holds {kind}, no plain value")  # noqa: TRY004  # a fault of the data
        if column in self.times and (time := self._time(value, self.times[column])) is not None:
            return time.isoformat()
        if isinstance(value, bool):
            return str(value).lower()
        text = value if isinstance(value, str) else repr(value)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as exc:
                raise ValueError(f"{column} holds half a character") from exc
        return text

    def moment(self, said: Mapping[str, Any], column: str) -> datetime | None:
        """The value of a column as an instant in UTC; none if it cannot be read. In a fold it is the first."""
        value = pick(said, column)
        time = None if value is None else self._time(value, self.times.get(column))
        if time is None:
            return None
        try:
            return (time if time.tzinfo else time.replace(tzinfo=self.zone)).astimezone(UTC)
        except OverflowError:
            return None

    def asked(self, moment: datetime, column: str) -> str | int:
        """An instant as the feed writes it in that column, in whole seconds, rounded down."""
        form = self.times.get(column)
        if form == EPOCH_MS:
            return (moment - _EPOCH) // timedelta(seconds=1) * 1000
        if form is None:
            return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return moment.astimezone(self.zone).strftime(form)

    @staticmethod
    def _time(value: Any, form: str | None) -> datetime | None:
        try:
            if form == EPOCH_MS:
                return _EPOCH + timedelta(milliseconds=int(value))
            return datetime.fromisoformat(str(value)) if form is None else _parse(str(value), form)
        except (ValueError, OverflowError, TypeError):
            return None


def _parse(text: str, form: str) -> datetime:
    return datetime.strptime(text.strip(), form)  # noqa: DTZ007  # its zone is the caller's to add
