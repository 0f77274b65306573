"""A file with lines of several entities: which of them are whose, each line taken exactly once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from ingestion.files.file_resource import FileResource
from ingestion.files.landing import is_corrections
from ingestion.formats.csv_records import UnreadableFileError
from ingestion.formats.parsed_file import ParsedFile, connect


def take_own_lines(
    parsed: ParsedFile, name: str, feed: FileResource, feeds: Sequence[FileResource], *, parquet: Path
) -> ParsedFile:
    """Keep the rows whose `_entity` is the feed's; they keep their `_source_row` and `_row_id`.

    Lines that cannot be split name no entity. Those of corrections go to the domain's first feed,
    those of another file to the feed whose file it is.

    Args:
        parsed: all lines of the file, with the column `_entity`.
        name: the file's name.
        feed: whose rows to keep.
        feeds: all feeds of the domain.
        parquet: the file to write, with the same columns but `_entity`.

    Raises:
        UnreadableFileError: a line is of an entity that has no business in a file of this name.
    """
    corrections = is_corrections(name)
    expected = [each.entity for each in feeds] if corrections else [feed.entity]
    with connect(parquet.parent) as connection:
        source = connection.read_parquet(str(parsed.parquet))
        counts = dict(source.aggregate("_entity, count(*)").fetchall())
        strange = sorted(entity or "(empty)" for entity in counts if entity not in expected)
        if strange and corrections:
            raise UnreadableFileError(
                f"the _entity of some lines is {', '.join(strange)[:200]}; there are: {', '.join(expected)}"
            )
        if strange:
            raise UnreadableFileError(
                f"it has lines whose _entity is {', '.join(strange)[:200]}, not {feed.entity}; "
                "deliver it as corrections*.csv"
            )
        own = source.filter(duckdb.ColumnExpression("_entity") == duckdb.ConstantExpression(feed.entity))
        own.project("* exclude (_entity)").write_parquet(str(parquet))
    answers_for_rejects = not corrections or feed.entity == feeds[0].entity
    return replace(
        parsed,
        parquet=parquet,
        rows=counts.get(feed.entity, 0),
        rejected=parsed.rejected if answers_for_rejects else [],
    )
