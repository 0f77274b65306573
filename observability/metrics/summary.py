"""The row counts of a domain, as shown after a run."""

import settings as settings_module
from publishing.readers import NotPublishedError, open_published
from settings import Settings
from transformation.manifest import row_counts_mart

COUNTS = ("rows_read", "rows_rejected", "rows_quarantined", "rows_superseded", "rows_clean")


def published_counts(domain: str, settings: Settings | None = None) -> dict[str, int]:
    """Return `COUNTS` over all input and `rows_published` over all published tables; empty if nothing is published."""
    try:
        with open_published(domain, settings or settings_module.load()) as published:
            sums = ", ".join(f"coalesce(sum({count}), 0)" for count in COUNTS)
            (values,) = published.execute(f"select {sums} from marts.{row_counts_mart(domain)}").fetchall()
            rows = published.rows()
    except NotPublishedError:
        return {}
    return {count: int(value) for count, value in zip(COUNTS, values, strict=True)} | {"rows_published": rows}
