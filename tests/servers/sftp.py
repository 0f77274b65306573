"""An SFTP server of a test's own: OpenSSH on loopback, with keys of its own, gone at the end."""

import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.servers.postgres import loopback_port

START_SECONDS = 30


class Sftp:
    """A server, which lets the user of this process in by a key. Making it skips the test where OpenSSH is not installed.

    Attributes:
        home: the home folder of a client, with its key and the key of the server.
        url: of the server, without a path.
    """

    def __init__(self, folder: Path) -> None:
        self._sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        if not self._sshd:
            pytest.skip("OpenSSH's server is not installed (Debian: apt-get install openssh-server)")
        self._folder = folder
        self._port = loopback_port()
        self._process: subprocess.Popen | None = None
        self.home = folder / "home"
        self.url = f"sftp://{getpass.getuser()}@127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        keys = self.home / ".ssh"
        keys.mkdir(parents=True)
        host_key = self._folder / "host_key"
        for key in (host_key, keys / "id_ed25519"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        public = host_key.with_suffix(".pub").read_text()
        (keys / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {public}")
        if os.geteuid() == 0:
            # Where it gives up its rights.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self._folder / "sshd_config"
        config.write_text(
            f"ListenAddress 127.0.0.1:{self._port}\nHostKey {host_key}\nPidFile none\n"
            f"AuthorizedKeysFile {keys / 'id_ed25519.pub'}\nStrictModes no\nPermitRootLogin yes\n"
            "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n"
        )
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._sshd, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while socket.socket().connect_ex(("127.0.0.1", self._port)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"sshd did not start:\n{(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def pause(self, seconds: float) -> None:
        """Let the sessions of the server hang for a while."""
        sessions = psutil.Process(self._process.pid).children(recursive=True)
        for session in sessions:
            session.suspend()
            threading.Timer(seconds, session.resume).start()

    def stop(self) -> None:
        """Stop the server."""
        if self._process:
            self._process.terminate()
            self._process.wait(START_SECONDS)


@contextmanager
def sftp(folder: Path) -> Iterator[Sftp]:
    """A running server, which is gone afterwards."""
    server = Sftp(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
