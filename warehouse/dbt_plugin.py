"""dbt-duckdb's plugin for the warehouse, named in `profiles.yml`."""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Create the warehouse's folder: DuckDB does not, and dbt would try for 17 minutes to open the file."""

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Create the folder before dbt connects.

        Raises:
            OSError: the folder cannot be created; the message names it.
        """
        super().update_connection_config(creds, config)
        Path(creds.path).parent.mkdir(parents=True, exist_ok=True)
