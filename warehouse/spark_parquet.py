"""DuckDB relations over the Parquet files of the lake's tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.sql import literal

if TYPE_CHECKING:
    import duckdb

# Spark's unfinished and obsolete files and folders have names that begin so.
HIDDEN = (".", "_")
# Spark's names of types where DuckDB has others.
KINDS = {"string": "varchar", "timestamp_ntz": "timestamp", "binary": "blob"}


def parquet_files(folder: Path) -> list[Path]:
    """Return the files of a table, in order."""
    return sorted(
        path
        for path in folder.rglob("*.parquet")
        if not any(part.startswith(HIDDEN) for part in path.relative_to(folder).parts)
    )


def relation_of(connection: "duckdb.DuckDBPyConnection", folder: Path, kinds: Mapping[str, str]) -> str:
    """Return a query of all rows in a table's folder; partition columns come last.

    Spark stores times with a zone; the query returns them in UTC without one, as on other engines.

    Args:
        connection: reads the columns.
        folder: the table's folder.
        kinds: Spark's types of the columns, needed if there is no file.
    """
    files = parquet_files(folder)
    if not files:
        columns = (f'cast(null as {KINDS.get(kind, kind)}) as "{name}"' for name, kind in kinds.items())
        return f"select {', '.join(columns)} limit 0"
    listed = ", ".join(map(literal, files))
    rows = f"read_parquet([{listed}], hive_partitioning = {str(files[0].parent != folder).lower()})"
    found = connection.execute(f"describe select * from {rows}").fetchall()
    zoned = [name for name, kind, *_ in found if kind == "TIMESTAMP WITH TIME ZONE"]
    replaced = ", ".join(f'"{name}" at time zone \'UTC\' as "{name}"' for name in zoned)
    return f"select * {f'replace ({replaced})' if replaced else ''} from {rows}"
