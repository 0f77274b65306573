"""The server of the warehouse, where the target is one."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from settings.values import Port, check_folder
from settings.variables import EnvSettings


class PostgresServer(EnvSettings):
    """A database on a PostgreSQL server, and the user that owns it."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_POSTGRES_")

    host: str = Field("127.0.0.1", description="server of the target `postgres`")
    port: Port = Field(5432, description="its port")
    database: str = Field("sluice", description="its database, which the user owns")
    user: str = Field("sluice", description="its user")
    password: SecretStr = Field(description="password of the user; required by the target `postgres`")

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


class SparkServer(EnvSettings):
    """The SQL server (thrift server) of a Spark cluster, and the folder of tables that it shares with this machine."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_SPARK_")

    host: str = Field(
        "127.0.0.1",
        description="SQL server of the target `spark`; it has no passwords: keep its network private",
    )
    port: Port = Field(10000, description="its port")
    user: str = Field("sluice", description="user that Spark logs")
    lake: Path = Field(
        description="folder of the Parquet files, at the same path on the cluster; default: `lake` in the data folder"
    )
    master: str = Field("local[*]", description="cluster of a server that `sluice spark` starts")

    @field_validator("lake")
    @classmethod
    def _absolute(cls, lake: Path) -> Path:
        return check_folder(lake.expanduser().resolve(), for_spark=True)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
