"""What readers have of what is loaded."""

import duckdb

from ingestion.warehouse import reading, table_columns
from settings import Settings


def has_all(domain: str, settings: Settings) -> bool:
    """Whether what is published was made of all that is loaded: of each file, the content that counts.

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
    path = settings.published(domain)
    if not path.exists():
        return not loaded
    with duckdb.connect(str(path), read_only=True) as published:
        files = f"select entity, source_file, loaded_at from marts.agg_{domain}_rows_by_file"
        return set(loaded) == set(published.execute(files).fetchall())
