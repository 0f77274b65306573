"""Opens what is published as its readers do: read-only, and within the memory limit of the settings."""

import duckdb

from settings import Settings


def open_published(domain: str, settings: Settings) -> duckdb.DuckDBPyConnection:
    """Open the published file of a domain; the caller closes it.

    Raises:
        duckdb.IOException: there is none, or it cannot be read.
    """
    config = {"memory_limit": settings.memory_limit}
    return duckdb.connect(str(settings.published(domain)), read_only=True, config=config)
