"""One JSON object that a server sent, read with distrust: a missing field has a default, a wrong type is an error.

In: bytes. Out: text, counts, flags and inner objects. It knows no field's name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from qagent.errors import StreamBroken

LABEL_CHARACTERS = 300
HIGHEST_COUNT = 1 << 53
"""Above it a JSON number is no longer exact, and one of four thousand digits cannot even be printed."""


@dataclass(frozen=True, slots=True)
class Record:
    """`protocol` is whose words these should be ("Ollama"), for the error."""

    values: dict[str, object]
    protocol: str

    @classmethod
    def parse(cls, data: bytes, protocol: str) -> Record:
        """Raises StreamBroken for anything but a JSON object in UTF-8."""
        try:
            value: object = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise not_spoken(protocol) from error
        if not isinstance(value, dict):
            raise not_spoken(protocol)
        return cls(cast("dict[str, object]", value), protocol)

    def text(self, key: str) -> str:
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise not_spoken(self.protocol)
        return value if value.isascii() else _whole(value)

    def label(self, key: str) -> str:
        """Text that can be shown to people and sent back as it is; "" for what is too long or not one plain line."""
        text = self.text(key)
        return text if text.isprintable() and len(text) <= LABEL_CHARACTERS else ""

    def count(self, key: str) -> int | None:
        """None when it is not told, for which some fields have -1."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not value <= HIGHEST_COUNT:
            raise not_spoken(self.protocol)
        if value < 0:
            return None
        if value != int(value):
            raise not_spoken(self.protocol)
        return int(value)

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise not_spoken(self.protocol)
        return value

    def inner(self, key: str) -> Record:
        """The object below `key`; an empty one when there is none."""
        value = self.values.get(key)
        if value is None:
            return Record({}, self.protocol)
        if not isinstance(value, dict):
            raise not_spoken(self.protocol)
        return Record(cast("dict[str, object]", value), self.protocol)

    def each(self, key: str) -> tuple[Record, ...]:
        """The objects in the list below `key`; none when there is no list."""
        values = self.values.get(key)
        if values is None:
            return ()
        if not isinstance(values, list):
            raise not_spoken(self.protocol)
        listed = cast("list[object]", values)
        return tuple(Record({"": value}, self.protocol).inner("") for value in listed)


def not_spoken(protocol: str) -> StreamBroken:
    return StreamBroken(
        f"what listens there does not speak {protocol}'s protocol",
        todo="check the address (--host) and what runs there",
    )


def _whole(text: str) -> str:
    """Without half surrogates, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
