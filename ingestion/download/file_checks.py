"""Checks of a received file: its length, its checksum and its format."""

import base64
import gzip
import hashlib
import zlib
from pathlib import Path

from ingestion.download.remote_file import RemoteFile

BLOCK_BYTES = 1024 * 1024


def has_checked_format(name: str) -> bool:
    """Whether a file of this name has a format that shows whether it is complete."""
    return name.lower().endswith((".gz", ".parquet"))


def find_fault(path: Path, name: str, remote: RemoteFile) -> str | None:
    """Return what is wrong with the received bytes of a file, whose name says its format; None if nothing is."""
    size = path.stat().st_size
    if remote.bytes not in (None, size):
        return f"{size} bytes instead of {remote.bytes}"
    for algorithm, expected in remote.checksums.items():
        with path.open("rb") as file:
            found = hashlib.file_digest(file, algorithm).digest()
        if found != base64.b64decode(expected):
            return f"its {algorithm} checksum differs from the server's"
    return format_fault(path, name)


def format_fault(path: Path, name: str) -> str | None:
    """Return what is wrong with a `.gz` (read to its end) or `.parquet`; None for any other file."""
    if name.lower().endswith(".gz"):
        return _gzip_fault(path)
    if name.lower().endswith(".parquet"):
        return _parquet_fault(path)
    return None


def _gzip_fault(path: Path) -> str | None:
    if path.stat().st_size == 0:
        return "the gzip is empty"  # gzip reads it as no content
    try:
        with gzip.open(path) as file:
            while file.read(BLOCK_BYTES):
                pass
    except EOFError:
        return "the gzip is truncated"
    except (gzip.BadGzipFile, zlib.error) as error:
        return f"the gzip is damaged: {error}"
    return None


def _parquet_fault(path: Path) -> str | None:
    # Imported here, because DAGs import this module.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_metadata(path)
    except pa.ArrowInvalid as error:
        return f"the Parquet file is damaged: {error}"
    return None
