"""One run of a domain at a time on a PostgreSQL server, and nothing of a run whose process is gone."""

import time

import psycopg2

from settings.warehouse import PostgresServer
from warehouse.interface import WarehouseBusyError

LOOK_SECONDS = 0.2


def lock(
    connection: psycopg2.extensions.connection, server: PostgresServer, domain: str, wait_seconds: float
) -> None:
    """Wait for a domain's advisory lock, which the connection then holds to its end.

    Raises:
        WarehouseBusyError: another connection still had it after `wait_seconds`; names the server's process.
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
                    f"another run of {domain} on {server} has its lock, in the server's process "
                    f"{holder[0] if holder else 'unknown'}; waited {wait_seconds:.0f} s"
                )
            time.sleep(LOOK_SECONDS)


def loading(domain: str | None) -> str:
    """The name by which the server knows the connections that load a domain."""
    return f"sluice {domain} load"


def end_leftovers(connection: psycopg2.extensions.connection, domain: str) -> None:
    """End what an earlier run still does on the server, whose process is gone: its commit would come too late.

    The domain's lock is held here, so nobody else loads.
    """
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and usename = current_user and application_name = %s",
                [loading(domain)],
            )
            if not cursor.fetchall():
                return
            time.sleep(LOOK_SECONDS)
