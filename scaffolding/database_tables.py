"""Tables of a database as the source of a new domain: read once, profiled as files, and declared."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from ingestion.extract.database import database_table
from ingestion.extract.extract import extract
from ingestion.extract.state import ExtractError
from ingestion.files.file_resource import FileResource
from ingestion.row_source import RowSource
from scaffolding.errors import ScaffoldingError
from scaffolding.model import Domain
from settings import Settings

# Enough to know types, keys and relations.
SAMPLE_ROWS = 200_000


def read_tables(variable: str, tables: Sequence[str], folder: Path) -> dict[str, str]:
    """Write the first rows of tables as files, and return the table of each file.

    Args:
        variable: the environment variable with the database's URL.
        tables: the tables, each perhaps with its schema before a point.
        folder: an empty folder.

    Raises:
        ScaffoldingError: a table cannot be read, or has no row.
    """
    found = {}
    for table in tables:
        schema, _, name = table.rpartition(".")
        source = database_table(variable, name, schema=schema or None)
        found[extract_sample(source, name, f"the table {table}", folder)] = table
    return found


def extract_sample(source: RowSource, name: str, what: str, folder: Path) -> str:
    """Write the first rows of a source as a file; return its path.

    Args:
        source: the source; whether it is incremental does not matter.
        name: the entity.
        what: the source, for errors.
        folder: where files are written.

    Raises:
        ScaffoldingError: it cannot be read, or has no row.
    """
    settings = Settings(data_dir=folder, env="dev")
    sample = RowSource(lambda since: islice(source.rows(since), SAMPLE_ROWS))
    resource = FileResource(domain="samples", entity=name, columns=(), source=sample)
    try:
        extracted = extract(resource, settings)
    except ExtractError as error:
        raise ScaffoldingError(str(error)) from None
    if not extracted.rows_read:
        raise ScaffoldingError(f"{what} has no row, so the types are unknown")
    return str(settings.landing("samples") / extracted.name)


def declare_sources(domain: Domain, variable: str, tables: Mapping[str, str]) -> None:
    """Declare the tables as the sources of their entities, incremental by the column that says what is newer."""
    for entity in domain.entities:
        table = tables.get(str(entity.files[0]))
        if not table:
            continue
        schema, _, name = table.rpartition(".")
        arguments = [repr(variable), repr(name)] + ([f"schema={schema!r}"] if schema else [])
        changes = [entity.column(each) for each in entity.order_by]
        if changes and changes[0].present == entity.rows:
            arguments.append(f"cursor={changes[0].raw!r}")
            domain.doubts.append(
                f"`{entity.name}` is read by what is new in {changes[0].raw}: rows that are deleted in the table stay"
            )
            entity.pattern = f"{entity.name}_[0-9]*"
        else:
            domain.doubts.append(
                f"`{entity.name}` is read as a whole each time: it has no column of the last change"
            )
            entity.pattern = f"{entity.name}.jsonl"
        entity.source = f"database_table({', '.join(arguments)})"
