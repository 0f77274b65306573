"""Only changed files are downloaded again, and bytes of two versions are never mixed."""

import gzip
from pathlib import Path

import pytest

from ingestion.download.download import Download
from tests.ingestion.download.file_server import Fault, FileServer
from tests.ingestion.download.helpers import (
    BEFORE,
    CONTENT,
    HALF,
    OTHER,
    contents,
    csv_gz,
    fails,
    fetch,
    hidden,
)

AFTER = "Tue, 02 Jan 2024 00:00:00 GMT"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"ETag": '"1"'}, {"ETag": '"2"'}),
        ({"Last_Modified": BEFORE}, {"Last_Modified": AFTER}),
        ({"X": "no version"}, {"X": "no version"}),
    ],
)
def test_file_changed_between_attempts_is_not_mixed(
    old: dict[str, str], new: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **old)
    server.faults = [Fault(cut_at=HALF), Fault(then=lambda: server.put("a.csv", OTHER, **new))]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": OTHER}


@pytest.mark.parametrize("changed", ["etag", "total"])
def test_server_that_ignores_if_range_is_detected(changed: str, server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT, ETag='"1"')
    new = OTHER if changed == "etag" else OTHER + b"more"
    rest = new[HALF:]

    def change() -> None:
        # The server sends the rest of the new file to a client with half of the old one.
        server.put("a.csv", rest, ETag='"2"' if changed == "etag" else '"1"')

    headers = {
        "Content-Range": f"bytes {HALF}-{len(new) - 1}/{len(new)}",
        "Content-Length": str(len(rest)),
    }
    server.faults = [
        Fault(cut_at=HALF),
        Fault(then=change, headers=headers, ignores_range=True, as_part=True),
        Fault(then=lambda: server.put("a.csv", new, ETag='"3"')),
    ]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": new}
    assert server.ranges() == [None, f"bytes={HALF}-", None]


def test_rest_from_another_byte_is_not_used(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    early = {"Content-Range": f"bytes {HALF - 1}-{len(CONTENT) - 2}/{len(CONTENT)}"}
    server.faults = [Fault(cut_at=HALF), Fault(headers=early)]
    fetch(url, folder)
    assert server.ranges() == [None, f"bytes={HALF}-", None]


def test_server_without_ranges_starts_over(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(ignores_range=True)
    server.faults = [Fault(cut_at=HALF)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert [request.status for request in server.gets()] == [200, 200]


def test_unsatisfiable_range_starts_over(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=HALF), Fault(status=416)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [None, f"bytes={HALF}-", None]


@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"ETag": 'W/"1"'}, {"Last_Modified": BEFORE}])
def test_unchanged_file_is_not_downloaded_again(
    headers: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **headers)
    fetch(url, folder)
    server.requests.clear()
    server.head_fault = Fault(headers={"Content-Length": None})  # only the version says that it is unchanged
    for _ in range(2):
        assert fetch(url, folder) == Download(folder / "a.csv", "unchanged", len(CONTENT))
    assert [request.method for request in server.requests] == ["HEAD", "HEAD"]
    assert hidden(folder) == {".a.csv.source.json"}


@pytest.mark.parametrize(("name", "content"), [("a.csv", CONTENT), ("a.csv.gz", csv_gz())])
def test_file_of_unknown_origin_is_recognized_by_its_size(
    name: str, content: bytes, server: FileServer, folder: Path
) -> None:
    url = server.put(name, content)
    folder.mkdir()
    (folder / name).write_bytes(content)
    assert fetch(url, folder).status == "unchanged"
    assert not server.gets()
    server.put(name, OTHER[: len(content)] if name == "a.csv" else gzip.compress(OTHER))
    assert fetch(url, folder).status == "downloaded"  # from now on by its version


def test_damaged_file_of_the_right_size_is_downloaded(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv.gz", csv_gz())
    folder.mkdir()
    (folder / "a.csv.gz").write_bytes(csv_gz()[:-8] + bytes(8))
    assert fetch(url, folder).status == "downloaded"
    assert contents(folder) == {"a.csv.gz": csv_gz()}


def test_truncated_file_is_downloaded(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    fetch(url, folder)
    (folder / "a.csv").write_bytes(CONTENT[:-1])
    server.head_fault = Fault(headers={"Content-Length": None})
    assert fetch(url, folder).status == "downloaded"
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize(
    ("old", "new", "content"),
    [
        ({"ETag": '"1"'}, {"ETag": '"2"'}, OTHER),
        ({"ETag": '"1"'}, {"ETag": '"1"'}, OTHER + b"longer"),
        ({"Last_Modified": BEFORE}, {"Last_Modified": AFTER}, OTHER),
    ],
)
def test_republished_file_replaces_the_old_one(
    old: dict[str, str], new: dict[str, str], content: bytes, server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **old)
    fetch(url, folder)
    server.put("a.csv", content, **new)
    server.faults = [Fault(cut_at=HALF), Fault(status=500, then=lambda: replaced.append(contents(folder)))]
    replaced: list[dict[str, bytes]] = []
    assert fetch(url, folder) == Download(folder / "a.csv", "downloaded", len(content))
    assert replaced == [{"a.csv": CONTENT}]  # until the new one is complete
    assert contents(folder) == {"a.csv": content}


def test_same_name_at_another_url_is_another_file(server: FileServer, folder: Path) -> None:
    fetch(server.put("january/a.csv", CONTENT, Last_Modified=BEFORE), folder)
    other = server.put("february/a.csv", OTHER, Last_Modified=BEFORE)
    assert fetch(other, folder).status == "downloaded"
    assert contents(folder) == {"a.csv": OTHER}


def test_part_from_another_url_is_not_used(server: FileServer, folder: Path) -> None:
    server.always = Fault(cut_at=HALF, ignores_range=True)
    fails(server.put("january/a.csv", CONTENT, Last_Modified=BEFORE), folder)
    server.always = Fault()
    fetch(server.put("february/a.csv", OTHER, Last_Modified=BEFORE), folder)
    assert contents(folder) == {"a.csv": OTHER}


@pytest.mark.parametrize("status", [403, 405, 501])
def test_server_without_head_gets_a_request_for_the_file(
    status: int, server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT)
    server.head_fault = Fault(status=status)
    assert [fetch(url, folder).status for _ in range(2)] == ["downloaded", "downloaded"]
    assert contents(folder) == {"a.csv": CONTENT}
