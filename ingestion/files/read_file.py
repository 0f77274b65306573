"""Reads one delivered file, and turns whatever goes wrong into a reason for its sender."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from common.days import days_as_text
from common.text import first_line
from ingestion.files.file_resource import FileResource
from ingestion.files.header import Header, map_header
from ingestion.files.multi_entity_files import take_own_lines
from ingestion.files.schema_contract import hold_contract
from ingestion.formats import ParsedFile, RowShape, UnreadableFileError, open_delivered
from ingestion.loader.loader import Loader
from settings.file_limits import FileLimits
from warehouse.sql import LIMITS, in_memory_duckdb, literal, quoted

logger = logging.getLogger(__name__)


@contextmanager
def reading(path: Path, work: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a reason that concerns this file alone.

    Args:
        path: the file.
        work: the folder of temporary files, which the reason does not name.

    Raises:
        UnreadableFileError: the file cannot be read.
    """
    try:
        yield
    except (UnreadableFileError, MemoryError):
        raise
    except OSError as error:
        raise UnreadableFileError(f"it cannot be read: {error.strerror or error}") from error
    except duckdb.OutOfMemoryException as error:
        raise UnreadableFileError(
            f"reading it needs more than {LIMITS['memory_limit']}: it has too many columns or too long values"
        ) from error
    except Exception as error:
        logger.debug("%s cannot be read", path, exc_info=True)
        said = first_line(error)
        raise UnreadableFileError(f"it cannot be read: {said.replace(f'{work}{os.sep}', '')}") from error


def read_file(
    path: Path,
    prefix: str,
    resource: FileResource,
    siblings: Sequence[FileResource],
    loader: Loader,
    limits: FileLimits,
    work: Path,
) -> tuple[Header, ParsedFile]:
    """Return the header of a file and its rows of one resource.

    Args:
        path: the delivered file.
        prefix: the beginning of the rows' `_row_id`.
        resource: the resource whose rows to read.
        siblings: all file resources of the domain.
        loader: the loader of the raw table.
        limits: what the file may hold.
        work: a folder for temporary files, and for the rows.

    Raises:
        UnreadableFileError: the file as a whole cannot be loaded.
    """
    delivered = open_delivered(path, resource.format, limits, work)
    header = map_header(delivered, path.name, resource, siblings, loader)
    partition = resource.partition_of(path.name)
    shape = RowShape(
        header.names,
        {"_source_file": path.name, **({"_partition": partition} if partition else {})},
        prefix,
        loader.layout(),
    )
    parsed = delivered.parse(shape, parquet=work / "rows.parquet")
    if header.names_entities:
        own = work / "own_rows.parquet"
        parsed = take_own_lines(parsed, path.name, resource, siblings, parquet=own)
        if parsed.rows:
            header.check_columns(resource)
    declared = work / "declared_columns.parquet"
    return header, hold_contract(parsed, header, resource, shape.layout, limits, declared)


def days_of(parsed: ParsedFile, column: str) -> str | None:
    """Return the number of rows by day in a column of dates or times as they were delivered, see `days_as_text`."""
    if not parsed.rows:
        return None
    with in_memory_duckdb(parsed.parquet.parent) as connection:
        found = connection.execute(
            f"select substr(trim({quoted(column)}), 1, 10), count(*) from read_parquet({literal(parsed.parquet)})"
            " group by 1"
        )
        return days_as_text(dict(found.fetchall()))
