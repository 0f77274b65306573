"""Tables of the lake as DuckDB reads them: the Parquet files of a folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# What Spark is writing, or has not removed yet, is in folders and files with such names.
HIDDEN = (".", "_")
# Spark's names of types that are not DuckDB's.
KINDS = {"string": "varchar", "timestamp_ntz": "timestamp", "binary": "blob"}


def parquet_files(folder: Path) -> list[Path]:
    """The files of a table, in order."""
    return sorted(
        path
        for path in folder.rglob("*.parquet")
        if not any(part.startswith(HIDDEN) for part in path.relative_to(folder).parts)
    )


def relation_of(connection: "duckdb.DuckDBPyConnection", folder: Path, kinds: Mapping[str, str]) -> str:
    """A query of all rows in a table's folder; columns by which the files lie in folders come last.

    Times, which Spark keeps as moments, are times in UTC as everywhere.

    Args:
        connection: which reads the columns.
        folder: the table's.
        kinds: Spark's types of the columns; needed where there is no file.
    """
    files = parquet_files(folder)
    if not files:
        columns = (f'cast(null as {KINDS.get(kind, kind)}) as "{name}"' for name, kind in kinds.items())
        return f"select {', '.join(columns)} limit 0"
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    rows = f"read_parquet([{listed}], hive_partitioning = {str(files[0].parent != folder).lower()})"
    found = connection.execute(f"describe select * from {rows}").fetchall()
    moments = [name for name, kind, *_ in found if kind == "TIMESTAMP WITH TIME ZONE"]
    replaced = ", ".join(f'"{name}" at time zone \'UTC\' as "{name}"' for name in moments)
    return f"select * {f'replace ({replaced})' if replaced else ''} from {rows}"
