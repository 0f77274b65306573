"""Downloads from a server that fails in every way: the right file or a clear error, and few bytes twice."""

import base64
import fcntl
import gzip
import hashlib
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from ingestion.arrivals import delivered
from ingestion.web.download import Download, DownloadError, NotOutYetError, download
from settings import PROJECT_DIR
from tests.ingestion.file_server import Fault, FileServer, serving

CONTENT = random.Random(1).randbytes(400_000)
OTHER = random.Random(2).randbytes(400_000)
HALF = len(CONTENT) // 2
TRIES = 3
BEFORE = "Mon, 01 Jan 2024 00:00:00 GMT"
AFTER = "Tue, 02 Jan 2024 00:00:00 GMT"
SECRET = "s3cret"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as files:
        yield files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def fetch(url: str, folder: Path, *, tries: int = TRIES, timeout: float = 5) -> Download:
    return download(url, folder, timeout=timeout, tries=tries, first_wait=0.01)


def fails(url: str, folder: Path, kind: type[DownloadError] = DownloadError) -> str:
    """The message of a download that fails; nothing is in place then, and nothing is for a loader."""
    before = contents(folder)
    with pytest.raises(kind) as caught:
        fetch(url, folder)
    assert type(caught.value) is kind
    assert contents(folder) == before
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    """All but the hidden files."""
    paths = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in paths if not path.name.startswith(".")}


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(".")}


def sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def csv_gz() -> bytes:
    return gzip.compress(CONTENT, compresslevel=1, mtime=0)


def parquet() -> bytes:
    return b"PAR1" + CONTENT + b"PAR1"


def test_a_file_arrives_whole_and_alone(server: FileServer, folder: Path) -> None:
    url = server.put("a%20b.csv", CONTENT)
    assert fetch(url, folder) == Download(folder / "a b.csv", "downloaded", len(CONTENT))
    assert contents(folder) == {"a b.csv": CONTENT}
    assert hidden(folder) == {".a b.csv.source.json"}
    assert delivered(folder) == [folder / "a b.csv"]
    assert server.gets()[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("fault", [Fault(stall_at=HALF), Fault(cut_at=HALF)], ids=["stalled", "cut"])
@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"ETag": 'W/"1"', "Last_Modified": BEFORE}])
def test_an_interrupted_transfer_goes_on_where_it_was(
    fault: Fault, headers: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **headers)
    server.faults = [fault]
    fetch(url, folder, timeout=0.3)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [None, f"bytes={HALF}-"]
    assert server.gets()[1].headers["if-range"] == headers.get("Last_Modified", headers["ETag"])
    assert server.sent() < 2 * len(CONTENT)


def test_tries_with_progress_do_not_count(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=40_000)] * 9
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.sent() == len(CONTENT)


def test_tries_that_bring_the_same_bytes_again_do_count(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(cut_at=HALF, ignores_range=True)
    assert f"the connection was cut after {HALF} of {len(CONTENT)} bytes" in fails(url, folder)
    assert len(server.gets()) == 1 + TRIES


def test_an_error_of_the_server_passes(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(status=500), Fault(status=500)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert [request.status for request in server.requests] == [500, 500, 200]


def test_an_error_of_the_server_that_stays_ends_after_the_tries(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(status=503)
    message = fails(url, folder)
    assert (
        message
        == f"{url}: {TRIES} tries without progress, at last: the server answered 503 Service Unavailable"
    )
    assert len(server.requests) == TRIES
    assert not hidden(folder)


def test_the_wait_that_the_server_asks_for_is_kept(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(status=429, headers={"Retry-After": "1"})]
    fetch(url, folder)
    first, second = server.requests
    assert second.at - first.at >= 1
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_too_long_a_wait_is_an_error(
    status: int, form: str, server: FileServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"it waits for {seconds} s"))
    url = server.put("a.csv", CONTENT)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=65), usegmt=True)
    asked = {"seconds": "65", "date": date}[form]
    server.always = Fault(status=status, headers={"Retry-After": asked})
    message = fails(url, folder)
    assert f"the server answered {status}" in message
    assert "asks to wait for 6" in message
    assert len(server.requests) == 1


def test_a_date_in_the_near_future_is_waited_for(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    soon = (datetime.now(UTC) + timedelta(seconds=1.2)).replace(microsecond=0)
    server.faults = [Fault(status=503, headers={"Retry-After": format_datetime(soon, usegmt=True)})]
    fetch(url, folder)
    assert datetime.now(UTC) >= soon
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize("headers", [{}, {"Repr_Digest": f"sha-256=:{sha256(CONTENT)}:"}])
def test_a_length_that_is_always_too_long_is_an_error(
    headers: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, ETag='"1"', **headers)
    server.always = Fault(length_lie=100)
    length = len(CONTENT)
    assert f"the connection was cut after {length} of {length + 100} bytes" in fails(url, folder)


def test_a_length_that_is_too_long_once_does_no_harm(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(length_lie=100)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize(
    ("name", "content", "headers", "reason"),
    [
        ("a.csv.gz", csv_gz(), {}, "the gzip is truncated"),
        ("a.parquet", parquet(), {}, "does not end with PAR1"),
        ("a.csv", CONTENT, {"Repr_Digest": f"sha-256=:{sha256(CONTENT)}:"}, "its sha256 checksum is not"),
    ],
)
def test_a_length_that_is_too_short_is_an_error(
    name: str, content: bytes, headers: dict[str, str], reason: str, server: FileServer, folder: Path
) -> None:
    url = server.put(name, content, ETag='"1"', **headers)
    server.always = Fault(length_lie=-100)
    assert reason in fails(url, folder)
    assert not hidden(folder)
    assert server.ranges() == [None] * TRIES


@pytest.mark.parametrize("lie", [-100, 100])
def test_a_part_whose_length_is_wrong_is_an_error_or_the_file(
    lie: int, server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=HALF), Fault(length_lie=lie)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}


def test_bytes_beyond_the_end_are_not_taken(server: FileServer, folder: Path) -> None:
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
def test_files_that_show_by_themselves_that_they_are_whole(
    name: str, content: bytes, server: FileServer, folder: Path
) -> None:
    url = server.put(name, content)
    server.always = Fault(headers={"Content-Length": None})
    server.faults = [Fault(headers={"Content-Length": None}, cut_at=1000)]
    fetch(url, folder)
    assert contents(folder) == {name: content}


def test_an_answer_that_nothing_proves_whole_is_an_error(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(headers={"Content-Length": None})
    assert "nothing proves it whole" in fails(url, folder)
    assert not hidden(folder)


@pytest.mark.parametrize(
    ("faults", "ranges"), [([], [None]), ([Fault(chunked=True, cut_at=HALF)], [None, f"bytes={HALF}-"])]
)
def test_chunks_need_no_length(
    faults: list[Fault], ranges: list[str | None], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [*faults]
    server.always = Fault(chunked=True)
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == ranges
    assert fetch(url, folder).status == "unchanged"


def test_a_file_that_is_not_there_is_not_asked_for_again(server: FileServer, folder: Path) -> None:
    message = fails(f"{server.base}/2024/a.csv", folder, NotOutYetError)
    assert message == f"{server.base}/2024/a.csv: the server has no such file (404)"
    assert len(server.requests) == 1
    assert not hidden(folder)


def test_a_refusal_is_not_asked_for_again(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(status=403)
    assert "the server answered 403 Forbidden" in fails(url, folder)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"ETag": '"1"'}, {"ETag": '"2"'}),
        ({"Last_Modified": BEFORE}, {"Last_Modified": AFTER}),
        ({"X": "no version"}, {"X": "no version"}),
    ],
)
def test_a_file_changed_between_two_tries_is_not_mixed(
    old: dict[str, str], new: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **old)
    server.faults = [Fault(cut_at=HALF), Fault(then=lambda: server.put("a.csv", OTHER, **new))]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": OTHER}


@pytest.mark.parametrize("changed", ["etag", "total"])
def test_a_server_that_ignores_if_range_is_found_out(changed: str, server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT, ETag='"1"')
    new = OTHER if changed == "etag" else OTHER + b"more"
    rest = new[HALF:]

    def change() -> None:
        # Sends the rest of the new file to one who has half of the old.
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


def test_a_rest_from_another_byte_on_is_not_taken(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    early = {"Content-Range": f"bytes {HALF - 1}-{len(CONTENT) - 2}/{len(CONTENT)}"}
    server.faults = [Fault(cut_at=HALF), Fault(headers=early)]
    fetch(url, folder)
    assert server.ranges() == [None, f"bytes={HALF}-", None]


def test_a_server_without_ranges_starts_over(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(ignores_range=True)
    server.faults = [Fault(cut_at=HALF)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert [request.status for request in server.gets()] == [200, 200]


def test_a_range_that_cannot_be_satisfied_starts_over(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=HALF), Fault(status=416)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [None, f"bytes={HALF}-", None]


@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"ETag": 'W/"1"'}, {"Last_Modified": BEFORE}])
def test_an_unchanged_file_is_not_fetched_again(
    headers: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **headers)
    fetch(url, folder)
    server.requests.clear()
    server.head_fault = Fault(headers={"Content-Length": None})  # the version alone must do
    for _ in range(2):
        assert fetch(url, folder) == Download(folder / "a.csv", "unchanged", len(CONTENT))
    assert [request.method for request in server.requests] == ["HEAD", "HEAD"]
    assert hidden(folder) == {".a.csv.source.json"}


@pytest.mark.parametrize(("name", "content"), [("a.csv", CONTENT), ("a.csv.gz", csv_gz())])
def test_a_file_of_unknown_origin_is_known_by_its_size(
    name: str, content: bytes, server: FileServer, folder: Path
) -> None:
    url = server.put(name, content)
    folder.mkdir()
    (folder / name).write_bytes(content)
    assert fetch(url, folder).status == "unchanged"
    assert not server.gets()
    server.put(name, OTHER[: len(content)] if name == "a.csv" else gzip.compress(OTHER))
    assert fetch(url, folder).status == "downloaded"  # from then on by its version


def test_a_damaged_file_of_the_right_size_is_fetched(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv.gz", csv_gz())
    folder.mkdir()
    (folder / "a.csv.gz").write_bytes(csv_gz()[:-8] + bytes(8))
    assert fetch(url, folder).status == "downloaded"
    assert contents(folder) == {"a.csv.gz": csv_gz()}


def test_a_file_that_is_here_in_part_is_fetched(server: FileServer, folder: Path) -> None:
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
def test_a_republished_file_replaces_the_old_one(
    old: dict[str, str], new: dict[str, str], content: bytes, server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **old)
    fetch(url, folder)
    server.put("a.csv", content, **new)
    server.faults = [Fault(cut_at=HALF), Fault(status=500, then=lambda: replaced.append(contents(folder)))]
    replaced: list[dict[str, bytes]] = []
    assert fetch(url, folder) == Download(folder / "a.csv", "downloaded", len(content))
    assert replaced == [{"a.csv": CONTENT}]  # until the new one is whole
    assert contents(folder) == {"a.csv": content}


def test_a_file_of_the_same_name_from_elsewhere_is_another(server: FileServer, folder: Path) -> None:
    fetch(server.put("january/a.csv", CONTENT, Last_Modified=BEFORE), folder)
    other = server.put("february/a.csv", OTHER, Last_Modified=BEFORE)
    assert fetch(other, folder).status == "downloaded"
    assert contents(folder) == {"a.csv": OTHER}


def test_a_part_of_a_file_from_elsewhere_is_not_used(server: FileServer, folder: Path) -> None:
    server.always = Fault(cut_at=HALF, ignores_range=True)
    fails(server.put("january/a.csv", CONTENT, Last_Modified=BEFORE), folder)
    server.always = Fault()
    fetch(server.put("february/a.csv", OTHER, Last_Modified=BEFORE), folder)
    assert contents(folder) == {"a.csv": OTHER}


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_server_without_head_is_asked_for_the_file(status: int, server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.head_fault = Fault(status=status)
    assert [fetch(url, folder).status for _ in range(2)] == ["downloaded", "downloaded"]
    assert contents(folder) == {"a.csv": CONTENT}


def start(url: str, folder: Path) -> subprocess.Popen:
    """A process of its own that downloads."""
    program = "import sys; from pathlib import Path; from ingestion.web.download import download; "
    program += "print(download(sys.argv[1], Path(sys.argv[2]), first_wait=0.01).status)"
    return subprocess.Popen(
        [sys.executable, "-c", program, url, str(folder)], cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True
    )


def wait_for_part(path: Path, size: int) -> None:
    deadline = time.monotonic() + 10
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < deadline, "the part did not come"
        time.sleep(0.01)


def kill_at(url: str, folder: Path, size: int) -> None:
    """SIGKILL a process that downloads when so many bytes are here."""
    child = start(url, folder)
    try:
        wait_for_part(folder / ".a.csv.part", size)
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL


def test_a_killed_download_is_resumed_by_the_next(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(stall_at=HALF)]
    kill_at(url, folder, HALF)
    assert contents(folder) == {}
    assert hidden(folder) == {".a.csv.part", ".a.csv.part.json"}
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert hidden(folder) == {".a.csv.source.json"}
    assert server.ranges() == [None, f"bytes={HALF}-"]
    assert server.sent() == len(CONTENT)


def test_a_download_killed_with_all_bytes_here_asks_for_the_last_one(
    server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=len(CONTENT) - 1), Fault(status=403)]
    fails(url, folder)
    with (folder / ".a.csv.part").open("ab") as file:
        file.write(CONTENT[-1:])
    server.requests.clear()
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [f"bytes={len(CONTENT) - 1}-"]


def test_a_second_process_waits_and_takes_over(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(stall_at=HALF)]
    first = start(url, folder)
    second = threading.Thread(target=fetch, args=(url, folder))
    try:
        wait_for_part(folder / ".a.csv.part", HALF)
        second.start()
        time.sleep(0.2)
        assert len(server.requests) == 1
    finally:
        first.kill()
        first.communicate()
    second.join(timeout=10)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [None, f"bytes={HALF}-"]


def test_threads_that_fetch_one_file_wait_for_each_other(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(url, folder).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["downloaded"] + ["unchanged"] * 7
    assert contents(folder) == {"a.csv": CONTENT}


def test_the_lock_is_not_left_with_a_child(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    part = folder / ".a.csv.part"
    copies: list[int] = []

    def inherit() -> None:
        # A copy of the open file, such as a process forked at this moment would have.
        for number in range(3, 1000):
            with suppress(OSError):
                if os.path.samestat(os.fstat(number), part.stat()):
                    copies.append(os.dup(number))
                    return

    server.faults = [Fault(cut_at=HALF), Fault(then=inherit, status=403)]
    fails(url, folder)
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(*copies)


CHECKSUMS = {
    "Repr_Digest": lambda content: f"sha-512=:AAAA:, sha-256=:{sha256(content)}:",
    "Digest": lambda content: f"SHA-256={sha256(content)}",
    "x_amz_checksum_sha256": sha256,
    "Content_MD5": lambda content: base64.b64encode(hashlib.md5(content).digest()).decode(),
}


@pytest.mark.parametrize("header", CHECKSUMS)
def test_a_wrong_checksum_is_an_error(header: str, server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT, ETag='"1"', **{header: CHECKSUMS[header](OTHER)})
    algorithm = "md5" if header == "Content_MD5" else "sha256"
    assert f"its {algorithm} checksum is not the one that the server sent" in fails(url, folder)
    assert server.ranges() == [None] * TRIES
    assert not hidden(folder)


@pytest.mark.parametrize("header", CHECKSUMS)
def test_a_damaged_rest_is_found_by_the_checksum_sent_with_the_beginning(
    header: str, server: FileServer, folder: Path
) -> None:
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


def test_a_checksum_of_a_file_uploaded_in_pieces_is_none(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT, x_amz_checksum_sha256=f"{sha256(OTHER)}-3")
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv.gz", csv_gz()[:-8] + bytes(8), "the gzip is damaged"),
        ("a.csv.gz", b"<html>sorry</html>", "the gzip is damaged"),
        ("a.csv.gz", b"", "the gzip is empty"),
        ("a.parquet", b"<html>sorry</html>", "does not begin with PAR1"),
        ("a.parquet", b"PAR1", "too short for Parquet"),
    ],
)
def test_what_has_not_the_form_is_an_error(
    name: str, content: bytes, reason: str, server: FileServer, folder: Path
) -> None:
    assert reason in fails(server.put(name, content), folder)


def test_a_gzip_that_is_labelled_so_stays_a_gzip(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv.gz", csv_gz(), Content_Encoding="gzip", ETag='"1"')
    fetch(url, folder)
    assert contents(folder) == {"a.csv.gz": csv_gz()}


def test_a_csv_that_is_sent_as_a_gzip_is_an_error(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", csv_gz(), Content_Encoding="gzip", ETag='"1"')
    assert "sends it encoded (gzip) though asked not to" in fails(url, folder)


@pytest.mark.parametrize("case", ["refused", "404", "403", "500", "bad redirect", "damaged headers"])
def test_secrets_are_in_no_message_and_no_log(
    case: str, server: FileServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.put("a.csv", CONTENT).replace("://", "://someone:pass-word@")
    if case == "refused":
        with serving() as gone:
            url = url.replace(server.base.rpartition(":")[2], gone.base.rpartition(":")[2])
    elif case == "bad redirect":
        server.always = Fault(status=302, headers={"Location": "ftp://u:pass-word@nowhere/?k=" + SECRET})
    elif case == "damaged headers":
        server.always = Fault(status=403, headers={"A": "1\r\nno header at all"})
    else:
        server.always = Fault(status=int(case))
    with pytest.raises(DownloadError) as caught:
        fetch(f"{url}?key={SECRET}&x=1#{SECRET}", folder)
    shown = url.replace("someone:pass-word@", "")
    assert str(caught.value).startswith(f"{shown}: ")
    told = caplog.text + "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    for secret in (SECRET, "someone", "pass-word"):
        assert secret not in told
    if case != "refused":
        # They are in the requests all the same.
        assert server.requests[0].target.endswith(f"?key={SECRET}&x=1")
        basic = base64.b64encode(b"someone:pass-word").decode()
        assert server.requests[0].headers["authorization"] == f"Basic {basic}"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_a_host_that_cannot_be_reached_is_an_error(
    host: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    message = fails(f"http://{host}/a.csv", folder)
    assert message.startswith(f"http://{host}/a.csv: {TRIES} tries without progress, at last: ")
    reasons = {"127.0.0.1:1": "Connection refused", "no-such-host.invalid": "gaierror"}
    assert reasons[host] in message
    # One line in the log a further try.
    assert len([record for record in caplog.records if record.name == "ingestion.web.patience"]) == TRIES - 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://127.0.0.1:1/folder/",
        "http://127.0.0.1:1/..",
        "http://127.0.0.1:1/.a.csv",
        "http://127.0.0.1:1/..%2Fa.csv",
        "http://127.0.0.1:1/a%5Cb.csv",
        "http://127.0.0.1:1/a%00.csv",
        f"http://127.0.0.1:1/{'a' * 250}.csv",
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.csv",
        "a.csv",
        "http:///a.csv",
        "http://someone:s3/cret@127.0.0.1/a.csv",
    ],
)
def test_a_url_that_is_not_that_of_a_file_is_an_error(url: str, folder: Path) -> None:
    message = fails(url, folder)
    assert "tries" not in message
    assert "s3" not in message
    assert "None" not in message
    assert not folder.exists()
