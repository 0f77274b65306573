"""dlt's destination for the DuckDB file; Parquet files get their `_dlt_load_id` while they are copied."""

from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import LoadJob
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations import duckdb
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from duckdb import DuckDBPyConnection

from warehouse.sql import literal


class CopyParquetJob(DuckDbCopyJob):
    """Copies a Parquet file of rows into its table, with the id of the load.

    dlt would rewrite an imported file to add that column, which takes longer than all other steps of a load.
    """

    def __init__(self, file_path: str, load_id: str) -> None:
        super().__init__(file_path)
        self._id_of_load = load_id

    def run(self) -> None:
        """Copy the file in one statement."""
        client = self._job_client.sql_client
        client.execute_sql(
            f"insert into {client.make_qualified_table_name(self.load_table_name)} by name"
            f" select *, {literal(self._id_of_load)} as _dlt_load_id from read_parquet({literal(self._file_path)})"
        )


class SluiceDuckDbClient(DuckDbClient):
    """dlt's client, with that job."""

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Return the job for a file."""
        if ParsedLoadJobFileName.parse(file_path).file_format == "parquet":
            return CopyParquetJob(file_path, load_id)
        return super().create_load_job(table, file_path, load_id, restore)


class SluiceDuckDb(duckdb):
    """dlt's destination, with that client."""

    @property
    def client_class(self) -> type[SluiceDuckDbClient]:
        """Return the client."""
        return SluiceDuckDbClient


def destination(connection: DuckDBPyConnection) -> SluiceDuckDb:
    """Return the destination for an open file: its own connection, because another one would have to wait for it."""
    # dlt 1.31 does not say that DuckDB has transactions, and would commit the delete of a replacement
    # by itself; a kill before the insert would then leave the file without rows.
    return SluiceDuckDb(connection, destination_name="duckdb", supports_transactions=True)
