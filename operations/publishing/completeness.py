"""What readers have of what is loaded."""

import duckdb

from ingestion.warehouse import reading, table_columns
from operations.publishing.versions import Versions
from settings import Settings


def has_all(domain: str, settings: Settings) -> bool:
    """Whether the newest version was made of all that is loaded: of each file, the content that counts.

    Args:
        domain: the pipeline.
        settings: which data folder and environment.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    if not settings.warehouse.exists():
        return True
    with reading(settings) as warehouse:
        if not table_columns(warehouse, f"raw_{domain}", "input_files"):
            return True
        warehouse.execute("set TimeZone = 'UTC'")
        loaded = warehouse.execute(
            "select entity, source_file, max(loaded_at)::timestamp "
            f"from raw_{domain}.input_files where status = 'loaded' group by all"
        ).fetchall()
    versions = Versions(domain, settings)
    made = versions.all()
    if not made:
        return not loaded
    # The newest, not the one in use: who has gone back to an earlier one does not want it undone.
    with duckdb.connect(str(versions.file(made[-1].name)), read_only=True) as published:
        files = f"select entity, source_file, loaded_at from marts.agg_{domain}_rows_by_file"
        return set(loaded) == set(published.execute(files).fetchall())
