"""One run of a domain at a time on a PostgreSQL server, without remains of killed runs."""

import time

import psycopg2

from settings.warehouse import PostgresServer
from warehouse.interface import WarehouseBusyError

POLL_SECONDS = 0.2


def lock(
    connection: psycopg2.extensions.connection, server: PostgresServer, domain: str, wait_seconds: float
) -> None:
    """Wait for a domain's advisory lock, which the connection then holds until it ends.

    Raises:
        WarehouseBusyError: another connection held it for `wait_seconds`; the message names its server process.
    """
    key = ("sluice", domain)
    deadline = time.monotonic() + wait_seconds
    with connection.cursor() as cursor:
        while True:
            cursor.execute("select pg_try_advisory_lock(hashtext(%s), hashtext(%s))", key)
            if cursor.fetchone()[0]:
                return
            if time.monotonic() >= deadline:
                cursor.execute(
                    "select pid from pg_locks where locktype = 'advisory' and granted"
                    " and database = (select oid from pg_database where datname = current_database())"
                    " and classid = (hashtext(%s)::bigint & 4294967295)::oid"
                    " and objid = (hashtext(%s)::bigint & 4294967295)::oid",
                    key,
                )
                holder = cursor.fetchone()
                raise WarehouseBusyError(
                    f"another run of {domain} on {server} holds its lock, in the server process "
                    f"{holder[0] if holder else 'unknown'}; waited {wait_seconds:.0f} s"
                )
            time.sleep(POLL_SECONDS)


def load_application(domain: str | None) -> str:
    """Return the application name of the connections that load a domain."""
    return f"sluice {domain} load"


def end_leftovers(connection: psycopg2.extensions.connection, domain: str) -> None:
    """End the load connections that a killed run has left on the server: their commit would come too late.

    This connection holds the domain's lock, so no other run is loading.
    """
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and usename = current_user and application_name = %s",
                [load_application(domain)],
            )
            if not cursor.fetchall():
                return
            time.sleep(POLL_SECONDS)
