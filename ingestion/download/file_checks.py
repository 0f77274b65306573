"""Whether the bytes that arrived are the file: by length, by checksum and by form."""

import base64
import gzip
import hashlib
import zlib
from pathlib import Path

from ingestion.download.remote_file import RemoteFile

BLOCK_BYTES = 1024 * 1024
MAGIC = b"PAR1"
# A magic number at both ends, and the length of the footer between them.
LEAST_PARQUET_BYTES = 12


def has_form(name: str) -> bool:
    """Whether a file of this name shows by itself that it is whole."""
    return name.lower().endswith((".gz", ".parquet"))


def find_fault(path: Path, name: str, served: RemoteFile) -> str | None:
    """What does not fit in a file that arrived; None if it passes.

    Args:
        path: where its bytes are.
        name: what it is to be called; the ending says its form.
        served: what the server said of it.
    """
    size = path.stat().st_size
    if served.bytes not in (None, size):
        return f"it has {size} bytes, not {served.bytes} as the server says"
    return _checksum_fault(path, served) or form_fault(path, name)


def form_fault(path: Path, name: str) -> str | None:
    """What is wrong with a `.gz` (read to its end) or `.parquet`; None if nothing, or of another form."""
    if name.lower().endswith(".gz"):
        return _gzip_fault(path)
    if name.lower().endswith(".parquet"):
        return _parquet_fault(path)
    return None


def _checksum_fault(path: Path, served: RemoteFile) -> str | None:
    for algorithm, expected in served.checksums.items():
        with path.open("rb") as file:
            found = hashlib.file_digest(file, algorithm).digest()
        if found != base64.b64decode(expected):
            return f"its {algorithm} checksum is not the one that the server sent"
    return None


def _gzip_fault(path: Path) -> str | None:
    if path.stat().st_size == 0:
        return "the gzip is empty"  # which the reader takes for a gzip of nothing
    try:
        with gzip.open(path) as file:
            while file.read(BLOCK_BYTES):
                pass
    except EOFError:
        return "the gzip is truncated: its end is missing"
    except (gzip.BadGzipFile, zlib.error) as error:
        return f"the gzip is damaged: {error}"
    return None


def _parquet_fault(path: Path) -> str | None:
    if path.stat().st_size < LEAST_PARQUET_BYTES:
        return "it is too short for Parquet"
    with path.open("rb") as file:
        begin = file.read(len(MAGIC))
        file.seek(-len(MAGIC), 2)
        end = file.read()
    if begin != MAGIC:
        return "it is no Parquet: it does not begin with PAR1"
    return None if end == MAGIC else "the Parquet file is truncated: it does not end with PAR1"
