"""The numbers of what a domain has published, as shown after a run."""

import settings as settings_module
from publishing.readers import NotPublishedError, open_published
from settings import Settings
from transformation.manifest import row_counts_mart

COUNTS = ("rows_read", "rows_rejected", "rows_quarantined", "rows_superseded", "rows_clean")


def published_counts(domain: str, settings: Settings | None = None) -> dict[str, int]:
    """Rows of a domain from delivery to publication, read from what is published.

    Returns:
        `COUNTS` over all input files and `rows_published` over all published tables; empty if
        nothing has been published.
    """
    try:
        with open_published(domain, settings or settings_module.load()) as published:
            sums = ", ".join(f"coalesce(sum({count}), 0)" for count in COUNTS)
            values = published.execute(f"select {sums} from marts.{row_counts_mart(domain)}").fetchone()
            rows = published.rows()
    except NotPublishedError:
        return {}
    return {count: int(value) for count, value in zip(COUNTS, values, strict=True)} | {"rows_published": rows}
