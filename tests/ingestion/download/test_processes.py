"""Downloads that are killed, and several at once."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from settings import PROJECT_DIR
from tests.ingestion.download.fetching import CONTENT, HALF, contents, fails, fetch, hidden
from tests.ingestion.download.file_server import Fault, FileServer


def start(url: str, folder: Path) -> subprocess.Popen:
    """A process of its own that downloads."""
    program = "import sys; from pathlib import Path; from ingestion.download.download import download; "
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
