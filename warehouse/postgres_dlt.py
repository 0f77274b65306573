"""dlt's PostgreSQL destination, which loads files of rows by COPY in the text format."""

from typing import Any, BinaryIO

from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.destinations.impl.postgres.postgres import PostgresClient

from settings.warehouse import PostgresServer

# dlt's own copy job reads 8 KiB at a time.
COPY_BYTES = 1 << 20


class CopyTextJob(RunnableLoadJob, HasFollowupJobs):
    """Copy a file from `write_copy_text` into its table in one transaction, with the id of the load."""

    def __init__(self, file_path: str, load_id: str) -> None:
        super().__init__(file_path)
        self._id_of_load = load_id

    def run(self) -> None:
        client: Any = self._job_client.sql_client  # type: ignore[attr-defined]
        with open(self._file_path, "rb") as file:  # noqa: PTH123
            names = [*file.readline().decode().rstrip("\n").split("\t"), "_dlt_load_id"]
            columns = ", ".join(client.escape_column_name(name) for name in names)
            table = client.make_qualified_table_name(self.load_table_name)
            with client.begin_transaction(), client.native_connection.cursor() as cursor:
                lines = _LinesWithEnd(file, f"\t{self._id_of_load}")
                cursor.copy_expert(f"copy {table} ({columns}) from stdin", lines, size=COPY_BYTES)


class _LinesWithEnd:
    """A file with a value appended to each line. Line ends within values are escapes, so each line end ends a row."""

    def __init__(self, file: BinaryIO, end: str) -> None:
        self._file = file
        self._end = f"{end}\n".encode()

    def read(self, size: int) -> bytes:
        return self._file.read(size).replace(b"\n", self._end)


class SluicePostgresClient(PostgresClient):
    """dlt's client, with that job."""

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        if ParsedLoadJobFileName.parse(file_path).file_format == "csv":
            return CopyTextJob(file_path, load_id)
        return super().create_load_job(table, file_path, load_id, restore)


class SluicePostgres(postgres):
    """dlt's destination, with that client."""

    @property
    def client_class(self) -> type[SluicePostgresClient]:
        return SluicePostgresClient


def destination(server: PostgresServer, application: str) -> SluicePostgres:
    """Return the destination for a server, to which dlt's connections give this application name."""
    credentials = PostgresCredentials(
        {
            "drivername": "postgresql",
            "host": server.host,
            "port": server.port,
            "database": server.database,
            "username": server.user,
            "password": server.password.get_secret_value(),
            "session_timezone": "UTC",
            "query": {"application_name": application},
        }
    )
    # dlt 1.31 says that PostgreSQL has transactions for DDL only.
    return SluicePostgres(credentials, destination_name="postgres", supports_transactions=True)
