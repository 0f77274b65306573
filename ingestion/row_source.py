"""The declaration of a database table, a REST API or any dlt resource as the source of files."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class RowSource:
    """A source whose rows are extracted into the files of a resource.

    Attributes:
        rows: returns the rows of the source, such as a dlt resource; of an incremental one those whose cursor is at least
            the given text, and all if it is None. Whatever it raises means that nothing is extracted.
        cursor: the field by which the source is incremental: no row gets a lower value than one that was there before.
            Each extraction then is a file of the rows that are new or changed, and rows that are deleted in the source
            stay. Without a cursor there is one file of all rows, which replaces the one before, deleted rows included.
    """

    rows: Callable[[str | None], Rows]
    cursor: str = ""
