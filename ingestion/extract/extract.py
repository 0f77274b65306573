"""Extracts the rows of a source into a file of the landing folder, from where it is loaded as any delivered file.

Reading and writing are two steps, so a slow source does not keep others from the warehouse, and what holds for files
holds for its rows: a content is loaded once, each row is accounted for, and a kill loses and doubles nothing.
`dlt.sources.incremental` cannot hold this: its state belongs to a pipeline, which would read and write in one step.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from common.atomic_write import atomic_write
from common.text import first_line
from ingestion.extract.state import ExtractError, locked_state
from ingestion.files.file_resource import FileResource
from ingestion.results import LoadResult
from ingestion.row_source import RowSource
from settings import Settings


class _NothingNewError(Exception):
    """The file that is being written is not to be kept."""


@dataclass(frozen=True)
class Position:
    """How far a source is extracted.

    Attributes:
        number: of the last file.
        cursor: the highest value of the cursor; None before the first extraction.
        seen: hashes of the rows that have this value, which the next extraction reads again.
    """

    number: int = 0
    cursor: str | None = None
    seen: frozenset[str] = frozenset()


def extract(resource: FileResource, settings: Settings) -> LoadResult:
    """Write the new and changed rows of a resource's source to a file of its landing folder; safe to repeat.

    Returns:
        The file with its number of rows: `skipped` if there is none to load.

    Raises:
        ExtractError: the source could not be read to its end.
    """
    with locked_state(resource, settings) as state:
        return _extract(resource, settings.landing(resource.domain), state)


def _extract(resource: FileResource, landing: Path, state: Path) -> LoadResult:
    assert isinstance(resource.source, RowSource)
    position = _read_state(state)
    number = position.number + 1
    name = f"{resource.entity}_{number:06}.jsonl" if resource.source.cursor else f"{resource.entity}.jsonl"
    try:
        with atomic_write(landing / name) as part:
            rows, reached = _write_rows(resource, position, part)
            if resource.source.cursor and not rows:
                raise _NothingNewError
    except _NothingNewError:
        return LoadResult(name, resource.entity, "skipped", reason="the source has no new or changed row")
    except ExtractError:
        raise
    except Exception as error:
        raise ExtractError(
            f"the source of {resource.entity} could not be read: {first_line(error)}"
        ) from None
    if resource.source.cursor:
        # After the file: killed between the two, the next extraction reads the same rows into a file of the same name.
        _write_state(state, Position(number, reached.cursor, reached.seen))
    return LoadResult(name, resource.entity, "loaded", rows_read=rows)


def _write_rows(resource: FileResource, position: Position, part: Path) -> tuple[int, Position]:
    """Write the rows of a source; return their number, and how far they reach."""
    assert isinstance(resource.source, RowSource)
    cursor = resource.source.cursor
    highest: Any = None
    seen: set[str] = set()
    count = 0
    with part.open("w", encoding="utf-8") as file:
        for row in resource.source.rows(position.cursor):
            line = json.dumps(dict(row), default=_to_json, ensure_ascii=False)
            if cursor:
                value = row.get(cursor)
                if value is None:
                    raise ExtractError(
                        f"a row of {resource.entity} has no {cursor}, by which it is incremental"
                    )
                digest = hashlib.sha256(line.encode()).hexdigest()
                if highest is None or value > highest:
                    highest, seen = value, set()
                if value == highest:
                    seen.add(digest)
                if digest in position.seen:
                    continue
            file.write(f"{line}\n")
            count += 1
    reached = None if highest is None else highest if isinstance(highest, str) else str(_to_json(highest))
    if reached == position.cursor:
        seen |= position.seen
    return count, Position(position.number, reached, frozenset(seen))


def _to_json(value: Any) -> Any:
    """Return a value that JSON does not have as text that casts back to it."""
    match value:
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case Decimal() | UUID() | int() | float():
            return str(value)
    raise TypeError(
        f"a value of type {type(value).__name__} cannot be extracted; convert it to text in the source"
    )


def _read_state(file: Path) -> Position:
    try:
        state = json.loads(file.read_text())
    except FileNotFoundError:
        return Position()
    return Position(state["number"], state["cursor"], frozenset(state["seen"]))


def _write_state(file: Path, position: Position) -> None:
    state = {"number": position.number, "cursor": position.cursor, "seen": sorted(position.seen)}
    with atomic_write(file) as new:
        new.write_text(json.dumps(state))
