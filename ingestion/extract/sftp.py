"""An SFTP server as a filesystem of fsspec that is known by its key and does not keep its clients waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "~/.ssh/known_hosts")
CONNECT_SECONDS = 15


class KnownSftp(SFTPFileSystem):
    """A server whose key is among those that `ssh` knows; fsspec itself would send a password to any server."""

    def _connect(self) -> None:
        silent_seconds = self.ssh_kwargs.pop("silent_seconds")
        self.client = paramiko.SSHClient()
        for path in map(Path.expanduser, map(Path, KNOWN_HOSTS)):
            if path.exists():
                self.client.load_system_host_keys(str(path))
        self.client.set_missing_host_key_policy(_Unknown())
        limits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), CONNECT_SECONDS)
        self.client.connect(self.host, **limits, **self.ssh_kwargs)
        self.ftp = self.client.open_sftp()
        self.ftp.get_channel().settimeout(silent_seconds)


class _Unknown(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        host, _, port = hostname.strip("[").partition("]:")
        scan = f"ssh-keyscan -p {port or 22} {host} >> ~/.ssh/known_hosts"
        raise paramiko.SSHException(
            f"the key of the server {hostname} is not known; check it and run: {scan}"
        )


@contextmanager
def open_sftp(url: str, silent_seconds: float) -> Iterator[Any]:
    """Connect to the server of a URL until the block ends; without a password with the keys that `ssh` uses.

    Args:
        url: `sftp://user:password@host:port/folder`.
        silent_seconds: how long the server may leave a request without an answer.

    Raises:
        paramiko.SSHException: the key of the server is not known, or it lets this user not in.
        OSError: it cannot be reached.
    """
    parts = urlsplit(url)
    named = {"username": parts.username, "password": parts.password}
    options: dict[str, Any] = {name: unquote(value) for name, value in named.items() if value}
    filesystem = KnownSftp(
        parts.hostname or "",
        port=parts.port or 22,
        silent_seconds=silent_seconds,
        skip_instance_cache=True,
        **options,
    )
    try:
        yield filesystem
    finally:
        filesystem.client.close()
