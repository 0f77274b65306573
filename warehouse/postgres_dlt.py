"""dlt's way into PostgreSQL: its own destination, but files of rows come by COPY in the text format."""

from typing import BinaryIO

from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.destinations.impl.postgres.postgres import PostgresClient

from settings.warehouse import PostgresServer

# dlt's own copies take 8 KiB at a time.
COPY_BYTES = 1 << 20


class CopyTextJob(RunnableLoadJob, HasFollowupJobs):
    """Copies a file, written by `write_copy_text`, into its table, in one transaction, with the id of the load."""

    def __init__(self, file_path: str, load_id: str) -> None:
        super().__init__(file_path)
        self._id_of_load = load_id

    def run(self) -> None:
        """Copy."""
        client = self._job_client.sql_client
        with open(self._file_path, "rb") as file:  # noqa: PTH123
            names = [*file.readline().decode().rstrip("\n").split("\t"), "_dlt_load_id"]
            columns = ", ".join(client.escape_column_name(name) for name in names)
            table = client.make_qualified_table_name(self.load_table_name)
            with client.begin_transaction(), client.native_connection.cursor() as cursor:
                lines = _LinesWithEnd(file, f"\t{self._id_of_load}")
                cursor.copy_expert(f"copy {table} ({columns}) from stdin", lines, size=COPY_BYTES)


class _LinesWithEnd:
    """A file whose lines have something at their ends; a line end within a value is written as an escape."""

    def __init__(self, file: BinaryIO, end: str) -> None:
        self._file = file
        self._end = f"{end}\n".encode()

    def read(self, size: int) -> bytes:
        """Return the next lines or parts of lines."""
        return self._file.read(size).replace(b"\n", self._end)


class SluicePostgresClient(PostgresClient):
    """dlt's client, with that job."""

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """The job of a file."""
        if ParsedLoadJobFileName.parse(file_path).file_format == "csv":
            return CopyTextJob(file_path, load_id)
        return super().create_load_job(table, file_path, load_id, restore)


class SluicePostgres(postgres):
    """dlt's destination, with that client."""

    @property
    def client_class(self) -> type[SluicePostgresClient]:
        """Its client."""
        return SluicePostgresClient


def destination(server: PostgresServer, application: str) -> SluicePostgres:
    """The destination for a server, which knows dlt's connections by this name."""
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
    # dlt 1.31 does not say of PostgreSQL that it has transactions for other than DDL.
    return SluicePostgres(credentials, destination_name="postgres", supports_transactions=True)
