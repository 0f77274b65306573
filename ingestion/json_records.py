"""JSON records of APIs and files as rows of text, with every value as it was delivered."""

import json
from typing import Any

from ingestion.characters import strip_nul
from ingestion.column_names import raw_column_name


class ExactNumber(float):
    """A number with the text that it was written as: a price of 25.10 does not become 25.1."""

    text: str

    def __new__(cls, text: str) -> "ExactNumber":
        """Parse a number of a JSON text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class InvalidRecordError(ValueError):
    """A value is not a record; the message gives the reason."""


def to_row(record: Any) -> dict[str, str | None]:
    """Return the fields of a record as text, by the names of their raw columns; nested values as JSON.

    Raises:
        InvalidRecordError: the value is not an object, or its fields do not have distinct column names.
    """
    if not isinstance(record, dict):
        raise InvalidRecordError("record is not a JSON object")
    if not all(field.strip() for field in record):
        raise InvalidRecordError("record has a field without a name")
    row: dict[str, str | None] = {}
    for field, value in record.items():
        name = raw_column_name(field)
        if name in row:
            raise InvalidRecordError(f"record has several fields {name!r}")
        row[name] = _to_text(value)
    try:
        "".join(filter(None, row.values())).encode()
    except UnicodeEncodeError as error:
        raise InvalidRecordError("record has text that is not valid Unicode") from error
    return row


def _to_text(value: Any) -> str | None:
    if isinstance(value, str):
        return strip_nul(value)
    if value is None or isinstance(value, ExactNumber):
        return None if value is None else value.text
    return json.dumps(value, ensure_ascii=False)
