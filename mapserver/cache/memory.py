"""Answers in memory, no more bytes than may be: those used least lately go first."""

from collections import OrderedDict

from mapserver.cache.entry import Entry

_LEAST_ENTRIES = 8


class Memory:
    """The newest answer to each question; it may be out of date."""

    def __init__(self, most_bytes: int) -> None:
        self.bytes = 0
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()

    def get(self, key: str) -> Entry | None:
        """The answer, from now on the one used last."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: str, entry: Entry) -> None:
        """Keep an answer in place of the one before; one that would drive out many others is not kept."""
        before = self._entries.pop(key, None)
        if before is not None:
            self.bytes -= before.size
        if entry.size <= self._most_bytes / _LEAST_ENTRIES:
            self._entries[key] = entry
            self.bytes += entry.size
            self._make_room()

    def add_coding(self, key: str, entry: Entry, coding: str, encoded: bytes) -> None:
        """Keep an answer's bytes in one more coding."""
        added = 0 if coding in entry.coded else len(encoded)
        entry.coded[coding] = encoded
        if self._entries.get(key) is entry:
            self.bytes += added
            self._make_room()

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes:
            _, oldest = self._entries.popitem(last=False)
            self.bytes -= oldest.size
