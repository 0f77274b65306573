"""Databases of tests' own on one PostgreSQL server, and the settings that lead to them."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.postgres import SUPERUSER, Postgres

USER = "sluice"
# So long that the platform knows it as a secret, and with what a URL would have to escape.
PASSWORD = "se/cret@of:the%test"
_numbers = itertools.count(1)


def prepare(server: Postgres) -> None:
    """Make the user, who owns databases and is no superuser, on a server."""
    server.psql(f"create role {USER} login createdb password '{PASSWORD}'")


@contextmanager
def database(server: Postgres, template: str = "template1") -> Iterator[dict[str, str]]:
    """A fresh database, as the variables that lead to it."""
    name = f"test_{next(_numbers)}"
    server.psql(f"create database {name} owner {USER} template {template}")
    yield {
        "SLUICE_TARGET": "postgres",
        "SLUICE_POSTGRES_HOST": server.host,
        "SLUICE_POSTGRES_PORT": str(server.port),
        "SLUICE_POSTGRES_DATABASE": name,
        "SLUICE_POSTGRES_USER": USER,
        "SLUICE_POSTGRES_PASSWORD": PASSWORD,
    }
    server.psql(f"drop database {name} with (force)")


__all__ = ["PASSWORD", "SUPERUSER", "USER", "database", "prepare"]
