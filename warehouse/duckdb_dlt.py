"""dlt's DuckDB destination, which adds `_dlt_load_id` to imported Parquet files while it copies them."""

from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import LoadJob
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations import duckdb
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from duckdb import DuckDBPyConnection

from warehouse.sql import literal


class CopyParquetJob(DuckDbCopyJob):
    """Copy a Parquet file into its table, with the id of the load.

    dlt itself would rewrite the file to add that column, which takes about as long as the copy.
    """

    def __init__(self, file_path: str, load_id: str) -> None:
        super().__init__(file_path)
        self._id_of_load = load_id

    def run(self) -> None:
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
        if ParsedLoadJobFileName.parse(file_path).file_format == "parquet":
            return CopyParquetJob(file_path, load_id)
        return super().create_load_job(table, file_path, load_id, restore)


class SluiceDuckDb(duckdb):
    """dlt's destination, with that client."""

    @property
    def client_class(self) -> type[SluiceDuckDbClient]:
        return SluiceDuckDbClient


def destination(connection: DuckDBPyConnection) -> SluiceDuckDb:
    """Return the destination for an open file, on the same connection: another one would wait for it."""
    # dlt 1.31 does not say that DuckDB has transactions, and would commit the delete of a replacement
    # by itself; a kill before the insert would then leave the file without rows.
    return SluiceDuckDb(connection, destination_name="duckdb", supports_transactions=True)
