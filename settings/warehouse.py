"""The server of the working warehouse, where the target is one: where it is, and what opens it."""

import os
from dataclasses import dataclass, field

from settings.environments import SettingsError
from settings.values import amount

POSTGRES = "postgres"
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class PostgresServer:
    """A database on a PostgreSQL server, and as whom to use it."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    def environment(self) -> dict[str, str]:
        """The variables that say so."""
        return {
            "SLUICE_POSTGRES_HOST": self.host,
            "SLUICE_POSTGRES_PORT": str(self.port),
            "SLUICE_POSTGRES_DATABASE": self.database,
            "SLUICE_POSTGRES_USER": self.user,
            "SLUICE_POSTGRES_PASSWORD": self.password,
        }


def read_postgres(target: str) -> PostgresServer | None:
    """The server of the target `postgres`; None for any other target."""
    if target != POSTGRES:
        return None
    password = os.environ.get("SLUICE_POSTGRES_PASSWORD")
    if not password:
        raise SettingsError(
            "the target postgres needs SLUICE_POSTGRES_PASSWORD, the password of SLUICE_POSTGRES_USER"
        )
    port = int(amount("SLUICE_POSTGRES_PORT", "5432", least=1))
    if port > HIGHEST_PORT:
        raise SettingsError(f"SLUICE_POSTGRES_PORT must be a port up to {HIGHEST_PORT}, not {port}")
    return PostgresServer(
        host=os.environ.get("SLUICE_POSTGRES_HOST") or "127.0.0.1",
        port=port,
        database=os.environ.get("SLUICE_POSTGRES_DATABASE") or "sluice",
        user=os.environ.get("SLUICE_POSTGRES_USER") or "sluice",
        password=password,
    )


def read_writers(target: str) -> int:
    """How many may write to the warehouse at once: one to a DuckDB file, several to a server."""
    return int(amount("SLUICE_WAREHOUSE_WRITERS", "4", least=1)) if target == POSTGRES else 1
