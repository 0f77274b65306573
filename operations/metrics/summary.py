"""The numbers of what a domain has published, as shown after a run."""

import settings as settings_module
from operations.published import open_published
from settings import Settings

COUNTS = ("rows_read", "rows_rejected", "rows_quarantined", "rows_superseded", "rows_clean")


def collect(domain: str, settings: Settings | None = None) -> dict[str, int]:
    """Rows of a domain from delivery to publication, read from its published file.

    Returns:
        `COUNTS` over all input files and `rows_published` over all published tables; empty if
        nothing has been published.
    """
    settings = settings or settings_module.load()
    if not settings.published(domain).exists():
        return {}
    with open_published(domain, settings) as published:
        sums = ", ".join(f"coalesce(sum({count}), 0)" for count in COUNTS)
        values = published.execute(f"select {sums} from marts.agg_{domain}_rows_by_file").fetchone()
        tables = published.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'"
        ).fetchall()
        rows = sum(
            published.execute(f"select count(*) from marts.{table}").fetchone()[0] for (table,) in tables
        )
    return {count: int(value) for count, value in zip(COUNTS, values, strict=True)} | {"rows_published": rows}
