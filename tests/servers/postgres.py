"""A PostgreSQL server of a test's own: on loopback, with a password, gone at the end."""

import os
import random
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from local_airflow.processes import free_port

START_SECONDS = 60
SUPERUSER = "postgres"


class Postgres:
    """A cluster in a temporary folder, in which the locale is C.UTF-8, and the server on it.

    Making it skips the test where PostgreSQL is not installed. Without a password of the superuser's it gets one.
    """

    def __init__(self, password: str | None = None) -> None:
        self._binaries = _binaries()
        # It refuses to run as root.
        self._user = SUPERUSER if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="sluice-postgres-"))
        if self._user:
            shutil.chown(self._folder, self._user, self._user)
        self._server: subprocess.Popen | None = None
        self.host = "127.0.0.1"
        self.port = loopback_port()
        self.password = password or secrets.token_urlsafe(16)
        self.log = self._folder / "server.log"
        self._make()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": "",
            "timezone": "UTC",
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._folder / "data", *flags],
                **self._as_user(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        ready = [str(self._binaries / "pg_isready"), "--quiet", "--host", self.host, "--port", str(self.port)]
        while subprocess.run(ready).returncode:
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT cuts off connections, SIGQUIT leaves its files as a crash would."""
        if self._server:
            self._server.send_signal(how)
            self._server.wait(START_SECONDS)
            self._server = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server and start it again on the same port."""
        self.stop(how)
        self.start()

    def remove(self) -> None:
        """Stop the server and delete the cluster."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    @property
    def pid(self) -> int | None:
        """The server's process; None while it does not run."""
        return self._server.pid if self._server else None

    def psql(self, sql: str, database: str = "postgres", user: str = SUPERUSER, password: str = "") -> str:
        """Run SQL, by default as the superuser; return its rows as lines, with | between columns.

        Raises:
            RuntimeError: a statement failed; the message is the server's.
        """
        return self.client("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", sql,
                           "--set", "ON_ERROR_STOP=1", database=database, user=user, password=password)  # fmt: skip

    def client(
        self,
        program: str,
        *arguments: str,
        database: str,
        user: str = SUPERUSER,
        password: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Run a program of PostgreSQL's, such as pg_dump, on a database; return its output."""
        done = subprocess.run(
            [self._binaries / program, *arguments],
            env={**os.environ, **environment, **self.variables(database, user, password)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    def variables(self, database: str, user: str = SUPERUSER, password: str = "") -> dict[str, str]:
        """The variables by which PostgreSQL's programs find the server and a database on it."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGDATABASE": database,
            "PGUSER": user,
            "PGPASSWORD": password or self.password,
        }

    def _make(self) -> None:
        """Make the cluster; the superuser has a password, as everybody else."""
        secret = self._folder / "password"
        secret.write_text(self.password)
        if self._user:
            shutil.chown(secret, self._user)
        flags = [f"--username={SUPERUSER}", f"--pwfile={secret}", "--auth=scram-sha-256", "--locale=C.UTF-8"]
        made = subprocess.run(
            [self._binaries / "initdb", "--encoding=UTF8", "--no-sync", *flags, self._folder / "data"],
            **self._as_user(),
            capture_output=True,
            text=True,
        )
        secret.unlink()
        if made.returncode:
            shutil.rmtree(self._folder)
            raise RuntimeError(f"initdb failed:\n{made.stderr[-2000:]}")

    def _as_user(self) -> dict:
        own = {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}
        return {"cwd": self._folder, **own}


@contextmanager
def postgres(password: str | None = None) -> Iterator[Postgres]:
    """A running server, which is gone afterwards."""
    server = Postgres(password)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def loopback_port() -> int:
    """A free port that no outgoing connection takes while a server restarts, nor, most likely, another test."""
    return free_port(random.randrange(20_000, 30_000))


def _binaries() -> Path:
    """Folder of PostgreSQL's programs: the newest of Debian's, which are not on the path, or what is there."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found and (on_path := shutil.which("postgres")):
        found = [Path(on_path).resolve()]
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return found[-1].parent
