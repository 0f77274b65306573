"""A file is accepted only if its length, its checksum or its format proves that it is complete."""

import base64
import hashlib
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.ingestion.download.file_server import Fault, FileServer
from tests.ingestion.download.helpers import (
    ATTEMPTS,
    CONTENT,
    HALF,
    OTHER,
    contents,
    csv_gz,
    fails,
    fetch,
    hidden,
)


def sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"bytes": [CONTENT]}), file)
    return file.getvalue()


@pytest.mark.parametrize("headers", [{}, {"Repr_Digest": f"sha-256=:{sha256(CONTENT)}:"}])
def test_length_that_is_always_too_long_is_an_error(
    headers: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, ETag='"1"', **headers)
    server.always = Fault(length_lie=100)
    length = len(CONTENT)
    assert f"the connection was closed early after {length} of {length + 100} bytes" in fails(url, folder)


def test_length_that_is_too_long_once_is_retried(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(length_lie=100)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize(
    ("name", "content", "headers", "reason"),
    [
        ("a.csv.gz", csv_gz(), {}, "the gzip is truncated"),
        ("a.parquet", parquet(), {}, "the Parquet file is damaged"),
        ("a.csv", CONTENT, {"Repr_Digest": f"sha-256=:{sha256(CONTENT)}:"}, "its sha256 checksum differs"),
    ],
)
def test_length_that_is_too_short_is_an_error(
    name: str, content: bytes, headers: dict[str, str], reason: str, server: FileServer, folder: Path
) -> None:
    url = server.put(name, content, ETag='"1"', **headers)
    server.always = Fault(length_lie=-100)
    assert reason in fails(url, folder)
    assert not hidden(folder)
    assert server.ranges() == [None] * ATTEMPTS


@pytest.mark.parametrize("lie", [-100, 100])
def test_wrong_length_of_a_part_is_retried(lie: int, server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=HALF), Fault(length_lie=lie)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}


def test_bytes_beyond_the_end_are_not_used(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    lie = {"Content-Range": f"bytes {HALF}-{len(CONTENT) - 2}/{len(CONTENT) - 1}"}
    server.faults = [
        Fault(cut_at=HALF, headers={"Content-Length": str(len(CONTENT) - 1)}),
        Fault(headers=lie),
    ]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [None, f"bytes={HALF}-", None]


@pytest.mark.parametrize(("name", "content"), [("a.csv.gz", csv_gz()), ("a.parquet", parquet())])
def test_checked_formats_need_no_length(name: str, content: bytes, server: FileServer, folder: Path) -> None:
    url = server.put(name, content)
    server.always = Fault(headers={"Content-Length": None})
    server.faults = [Fault(headers={"Content-Length": None}, cut_at=1000)]
    fetch(url, folder)
    assert contents(folder) == {name: content}


def test_file_that_nothing_proves_complete_is_an_error(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(headers={"Content-Length": None})
    assert "neither a length nor a checksum" in fails(url, folder)
    assert not hidden(folder)


@pytest.mark.parametrize(
    ("faults", "ranges"), [([], [None]), ([Fault(chunked=True, cut_at=HALF)], [None, f"bytes={HALF}-"])]
)
def test_chunked_response_needs_no_length(
    faults: list[Fault], ranges: list[str | None], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [*faults]
    server.always = Fault(chunked=True)
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == ranges
    assert fetch(url, folder).status == "unchanged"


CHECKSUMS = {
    "Repr_Digest": lambda content: f"sha-512=:AAAA:, sha-256=:{sha256(content)}:",
    "Digest": lambda content: f"SHA-256={sha256(content)}",
    "x_amz_checksum_sha256": sha256,
    "Content_MD5": lambda content: base64.b64encode(hashlib.md5(content).digest()).decode(),
}


@pytest.mark.parametrize("header", CHECKSUMS)
def test_wrong_checksum_is_an_error(header: str, server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT, ETag='"1"', **{header: CHECKSUMS[header](OTHER)})
    algorithm = "md5" if header == "Content_MD5" else "sha256"
    assert f"its {algorithm} checksum differs from the server's" in fails(url, folder)
    assert server.ranges() == [None] * ATTEMPTS
    assert not hidden(folder)


@pytest.mark.parametrize("header", CHECKSUMS)
def test_damaged_rest_is_found_by_the_first_checksum(header: str, server: FileServer, folder: Path) -> None:
    right = {"ETag": '"1"', header: CHECKSUMS[header](CONTENT)}
    url = server.put("a.csv", CONTENT, **right)
    server.faults = [
        Fault(cut_at=HALF),
        Fault(then=lambda: server.put("a.csv", OTHER, ETag='"1"')),
        Fault(then=lambda: server.put("a.csv", CONTENT, **right)),
    ]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [None, f"bytes={HALF}-", None]


def test_checksum_of_a_multipart_upload_is_ignored(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT, x_amz_checksum_sha256=f"{sha256(OTHER)}-3")
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv.gz", csv_gz()[:-8] + bytes(8), "the gzip is damaged"),
        ("a.csv.gz", b"<html>sorry</html>", "the gzip is damaged"),
        ("a.csv.gz", b"", "the gzip is empty"),
        ("a.parquet", b"<html>sorry</html>", "the Parquet file is damaged"),
        ("a.parquet", b"PAR1", "the Parquet file is damaged"),
    ],
)
def test_damaged_format_is_an_error(
    name: str, content: bytes, reason: str, server: FileServer, folder: Path
) -> None:
    assert reason in fails(server.put(name, content), folder)


def test_gzip_labelled_as_encoded_stays_a_gzip(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv.gz", csv_gz(), Content_Encoding="gzip", ETag='"1"')
    fetch(url, folder)
    assert contents(folder) == {"a.csv.gz": csv_gz()}


def test_csv_sent_as_gzip_is_an_error(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", csv_gz(), Content_Encoding="gzip", ETag='"1"')
    assert "sends Content-Encoding gzip" in fails(url, folder)
