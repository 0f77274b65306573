"""The server of the working warehouse, where the target is one: where it is, and what opens it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from settings.environments import SettingsError
from settings.values import amount

POSTGRES = "postgres"
SPARK = "spark"
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


@dataclass(frozen=True)
class SparkServer:
    """The SQL server (thrift server) of a Spark cluster, and the folder of tables that it shares with this machine.

    Attributes:
        host: its address; it knows no passwords, so its port is for a network of its own.
        port: its port.
        user: whom Spark notes as the one who asks.
        lake: folder of the tables' Parquet files, at the same path for the cluster.
        master: the cluster of a server that is started here; this machine's cores if none is named.
    """

    host: str
    port: int
    user: str
    lake: Path
    master: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The variables that say so."""
        return {
            "SLUICE_SPARK_HOST": self.host,
            "SLUICE_SPARK_PORT": str(self.port),
            "SLUICE_SPARK_USER": self.user,
            "SLUICE_SPARK_LAKE": str(self.lake),
            "SLUICE_SPARK_MASTER": self.master,
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
    return PostgresServer(
        host=os.environ.get("SLUICE_POSTGRES_HOST") or "127.0.0.1",
        port=_port("SLUICE_POSTGRES_PORT", "5432"),
        database=os.environ.get("SLUICE_POSTGRES_DATABASE") or "sluice",
        user=os.environ.get("SLUICE_POSTGRES_USER") or "sluice",
        password=password,
    )


def read_spark(target: str, data_dir: Path) -> SparkServer | None:
    """The server of the target `spark`; None for any other target."""
    if target != SPARK:
        return None
    lake = os.environ.get("SLUICE_SPARK_LAKE")
    return SparkServer(
        host=os.environ.get("SLUICE_SPARK_HOST") or "127.0.0.1",
        port=_port("SLUICE_SPARK_PORT", "10000"),
        user=os.environ.get("SLUICE_SPARK_USER") or "sluice",
        lake=Path(lake).expanduser().resolve() if lake else data_dir / "lake",
        master=os.environ.get("SLUICE_SPARK_MASTER") or "local[*]",
    )


def read_writers(target: str) -> int:
    """How many may write to the warehouse at once: one to a DuckDB file, several to a server."""
    return int(amount("SLUICE_WAREHOUSE_WRITERS", "4", least=1)) if target in (POSTGRES, SPARK) else 1


def _port(variable: str, default: str) -> int:
    port = int(amount(variable, default, least=1))
    if port > HIGHEST_PORT:
        raise SettingsError(f"{variable} must be a port up to {HIGHEST_PORT}, not {port}")
    return port
