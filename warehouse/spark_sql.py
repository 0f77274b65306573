"""Statements for the SQL server of a Spark cluster."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from settings.warehouse import SparkServer
from warehouse.interface import WarehouseError, WarehouseUnavailableError

if TYPE_CHECKING:
    from pyhive import hive


class SparkSql:
    """A session, which begins with the first statement and must be closed."""

    def __init__(self, server: SparkServer) -> None:
        self._server = server
        self._session: hive.Connection | None = None

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows.

        Raises:
            WarehouseUnavailableError: the server cannot be reached.
            WarehouseError: it rejected the statement.
        """
        from pyhive import exc
        from thrift.transport.TTransport import TTransportException

        try:
            cursor = self._connection().cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        except (OSError, TTransportException) as error:
            raise WarehouseUnavailableError(f"Spark at {self._server} cannot be reached: {error}") from error
        except exc.Error as error:
            raise WarehouseError(_message(error)) from error

    def tables(self, schema: str) -> list[str]:
        """Return the names of the tables and views of a schema; an empty list if there is no such schema."""
        try:
            found = self.run(f"show tables in {backquoted(schema)}")
        except WarehouseError as error:
            if "SCHEMA_NOT_FOUND" in str(error):
                return []
            raise
        return [row[1] for row in found]

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Return the columns of a table in order, with Spark's names of their types."""
        found: dict[str, str] = {}
        for name, kind, *_ in self.run(f"describe table {backquoted(schema)}.{backquoted(table)}"):
            if not name or name.startswith("#"):
                break  # the partition columns follow, a second time
            found[name] = kind
        return found

    def close(self) -> None:
        """End the session, if there is one. A failure is ignored, because all statements are done."""
        session, self._session = self._session, None
        if session:
            with suppress(Exception):
                session.close()

    def _connection(self) -> "hive.Connection":
        from pyhive import hive

        if not self._session:
            self._session = hive.connect(self._server.host, self._server.port, username=self._server.user)
        return self._session


@contextmanager
def session(server: SparkServer) -> Iterator[SparkSql]:
    """Open a session until the block ends."""
    spark = SparkSql(server)
    try:
        yield spark
    finally:
        spark.close()


def backquoted(name: str) -> str:
    """Return an identifier as Spark SQL."""
    return "`" + name.replace("`", "``") + "`"


def _message(error: Exception) -> str:
    """Return Spark's message without its plan and the stack of its threads."""
    status = getattr(error.args[0], "status", None) if error.args else None
    text = getattr(status, "errorMessage", None) or str(error)
    return text.removeprefix("Error running query: ").split(";\n")[0].split("\n\tat ")[0].strip()
