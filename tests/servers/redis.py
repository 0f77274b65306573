"""A Redis server of a test's own: on loopback, with a password, gone at the end."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.postgres import loopback_port

START_SECONDS = 30


class Redis:
    """A server in a temporary folder. Making it skips the test where Redis is not installed."""

    def __init__(self, password: str | None = None) -> None:
        for program in ("redis-server", "redis-cli"):
            if not shutil.which(program):
                pytest.skip(f"{program} is not installed (Debian: apt-get install redis-server)")
        self._folder = Path(tempfile.mkdtemp(prefix="sluice-redis-"))
        self._server: subprocess.Popen | None = None
        self.host = "127.0.0.1"
        self.port = loopback_port()
        self.password = password or secrets.token_urlsafe(16)
        self.log = self._folder / "server.log"

    def start(self) -> None:
        """Start the server, which keeps what it holds over a restart, and wait until it answers."""
        options = {
            "bind": self.host,
            "port": self.port,
            "dir": self._folder,
            "logfile": self.log,
            "appendonly": "yes",
            "requirepass": self.password,
        }
        # As its input: arguments are for every user of the machine to see.
        text = "".join(f"{name} {value}\n" for name, value in options.items())
        self._server = subprocess.Popen(
            ["redis-server", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        self._server.stdin.write(text.encode())
        self._server.stdin.close()
        deadline = time.monotonic() + START_SECONDS
        while self._ask("ping") != "PONG":
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server."""
        if self._server:
            self._server.terminate()
            self._server.wait(START_SECONDS)
            self._server = None

    def remove(self) -> None:
        """Stop the server and delete what it kept."""
        self.stop()
        shutil.rmtree(self._folder)

    def _ask(self, *words: str) -> str:
        asked = subprocess.run(
            ["redis-cli", "-h", self.host, "-p", str(self.port), *words],
            env={**os.environ, "REDISCLI_AUTH": self.password},
            capture_output=True,
            text=True,
        )
        return asked.stdout.strip()


@contextmanager
def redis(password: str | None = None) -> Iterator[Redis]:
    """A running server, which is gone afterwards."""
    server = Redis(password)
    try:
        server.start()
        yield server
    finally:
        server.remove()
