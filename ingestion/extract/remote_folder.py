"""A folder in a bucket, on an SFTP server or on a disk, read by fsspec. Credentials come from the environment."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ingestion.remote_files import LocationError, RemoteFiles

# What fsspec needs for each scheme, and how it is told to give up on a server that does not answer.
PACKAGES = {
    "file": "fsspec",
    "s3": "s3fs",
    "gs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "sftp": "paramiko",
}
CONNECT_SECONDS, SILENT_SECONDS = 15, 30
TIME_LIMITS: dict[str, dict[str, Any]] = {
    "s3": {
        "config_kwargs": {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": SILENT_SECONDS,
            # s3fs tries five times itself.
            "retries": {"total_max_attempts": 1},
        }
    },
    **dict.fromkeys(
        ("az", "abfs", "abfss"), {"connection_timeout": CONNECT_SECONDS, "read_timeout": SILENT_SECONDS}
    ),
}
# By which of them a file is known to be the same: atime or owner say nothing about its content.
IDENTITY = ("ETag", "etag", "generation", "size", "LastModified", "last_modified", "updated", "mtime")

# In the name of a file: its folders.
FOLDER = "__"

Info = dict[str, Any]


class ChangedError(RuntimeError):
    """A file changed while it was read."""


class RemoteFolder:
    """An open folder.

    Args:
        filesystem: of fsspec.
        root: the folder's path in it.
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        self._filesystem = filesystem
        self._root = root.rstrip("/")

    def list(self) -> tuple[dict[str, Info], list[Exception]]:
        """Return what is known of each file by its path, and why folders could not be listed."""
        errors: list[Exception] = []
        # By default, fsspec leaves out in silence what it cannot list; that of buckets raises.
        options = {} if self._filesystem.async_impl else {"on_error": errors.append}
        found = self._filesystem.find(self._root, detail=True, **options)
        return {path: info for path, info in found.items() if not path.endswith("/")}, errors

    def relative(self, path: str) -> str:
        """Return a file's path in this folder; its name if the folder is the file itself."""
        return path.removeprefix(self._root).strip("/") or path.rpartition("/")[2]

    def name_in_landing(self, path: str) -> str:
        """Return the name under which a file is delivered: its path in this folder, which no other folder is part of."""
        return self.relative(path).replace("/", FOLDER)

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file.

        Raises:
            ChangedError: it changed meanwhile.
            Exception: whatever the library raises, if it cannot be read.
        """
        before = self._identity(path)
        try:
            self._filesystem.get_file(path, str(target))
        except Exception:
            # A file that was replaced meanwhile may be the reason.
            with suppress(FileNotFoundError):
                if self._identity(path) != before:
                    raise ChangedError from None
            raise
        if self._identity(path) != before:
            raise ChangedError

    def answers(self) -> bool:
        """Whether the folder can still be listed."""
        try:
            self._filesystem.invalidate_cache()
            self._filesystem.ls(self._root)
        # Each library has errors of its own; the caller reports that of the file.
        except Exception:
            return False
        return True

    def _identity(self, path: str) -> str:
        self._filesystem.invalidate_cache()
        return identity(self._filesystem.info(path))


def identity(info: Info) -> str:
    """Return a text that differs once a file has changed."""
    return " ".join(f"{name}={info[name]}" for name in IDENTITY if info.get(name) is not None)


@contextmanager
def open_folder(source: RemoteFiles) -> Iterator[RemoteFolder]:
    """Open the folder of a source until the block ends.

    Raises:
        LocationError: its URL is missing or has a scheme that is not taken, or a package is missing.
        Exception: whatever the library raises, if the server cannot be reached.
    """
    url = source.url
    scheme = urlsplit(url).scheme
    if scheme not in PACKAGES:
        raise LocationError(f"{source.location} begins with {scheme}://; taken are: {', '.join(PACKAGES)}")
    try:
        if scheme == "sftp":
            from ingestion.extract.sftp import open_sftp

            with open_sftp(url, SILENT_SECONDS) as filesystem:
                yield RemoteFolder(filesystem, unquote(urlsplit(url).path) or "/")
            return
        from fsspec.core import url_to_fs

        # Connections and lists of files of other runs say nothing about this one.
        options = {"skip_instance_cache": True, **TIME_LIMITS.get(scheme, {})}
        yield RemoteFolder(*url_to_fs(url, **options))
    except ImportError as error:
        package = PACKAGES[scheme]
        raise LocationError(
            f"{scheme}:// needs the package {package}:"
            f" .venv/bin/uv pip install --python .venv/bin/python {package}"
        ) from error
