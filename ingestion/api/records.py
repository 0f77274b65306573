"""Records of an API as rows of text, with every value as it was delivered."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from dlt.common.normalizers.naming.snake_case import NamingConvention

from ingestion.formats.characters import strip_nul

_normalize = NamingConvention().normalize_identifier


class DeliveredNumber(float):
    """A number that remembers how it was written: a price of 25.10 does not become 25.1."""

    def __new__(cls, written: str) -> "DeliveredNumber":
        """Make a number of its text in the JSON."""
        number = super().__new__(cls, written)
        number.written = written
        return number


class NoRecordError(ValueError):
    """A value cannot be read as a record; the message says why."""


def as_row(record: Any) -> dict[str, str | None]:
    """The fields of a record as text, by their names in snake_case; nested values as JSON.

    Fields whose names begin with an underscore are left out, because such columns are the platform's own.

    Raises:
        NoRecordError: it is not an object, or not every field can have a column of its own.
    """
    if not isinstance(record, dict):
        raise NoRecordError("it is not an object")
    if not all(field.strip() for field in record):
        raise NoRecordError("a field has no name")
    fields = [
        (name, value) for field, value in record.items() if not (name := _normalize(field)).startswith("_")
    ]
    row = {name: _text(value) for name, value in fields}
    if len(row) < len(fields):
        twice = [name for name, count in Counter(name for name, _ in fields).items() if count > 1]
        raise NoRecordError(f"fields occur twice: {', '.join(twice)}")
    try:
        "".join(value for value in row.values() if value).encode()
    except UnicodeEncodeError as error:
        raise NoRecordError("it has text that is no Unicode") from error
    return row


def as_line(record: Any) -> str:
    """A record as one line of JSON."""
    return json.dumps(record)


def as_time(value: Any) -> datetime | None:
    """The time that a text in ISO 8601 says, as UTC if it names no zone; None if the text is no such time."""
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return strip_nul(value)
    return value.written if isinstance(value, DeliveredNumber) else json.dumps(value, ensure_ascii=False)
