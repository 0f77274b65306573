"""Downloads that are killed, and several at the same time."""

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
from tests.ingestion.download.file_server import Fault, FileServer
from tests.ingestion.download.helpers import CONTENT, HALF, contents, fails, fetch, hidden


def start(url: str, folder: Path) -> subprocess.Popen:
    """Start a process that downloads."""
    command = [sys.executable, "-m", "tests.ingestion.download.download_program", url, str(folder)]
    return subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True)


def wait_for_part(path: Path, size: int) -> None:
    deadline = time.monotonic() + 10
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < deadline, "the bytes did not come"
        time.sleep(0.01)


def kill_at(url: str, folder: Path, size: int) -> None:
    """Kill a download when it has received so many bytes."""
    child = start(url, folder)
    try:
        wait_for_part(folder / ".a.csv.part", size)
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL


def test_next_download_resumes_a_killed_one(server: FileServer, folder: Path) -> None:
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


def test_download_killed_with_all_bytes_requests_the_last_one(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=len(CONTENT) - 1), Fault(status=401)]
    fails(url, folder)
    with (folder / ".a.csv.part").open("ab") as file:
        file.write(CONTENT[-1:])
    server.requests.clear()
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [f"bytes={len(CONTENT) - 1}-"]


def test_second_process_waits_and_takes_over(server: FileServer, folder: Path) -> None:
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


def test_threads_that_download_one_file_wait_for_each_other(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(url, folder).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["downloaded"] + ["unchanged"] * 7
    assert contents(folder) == {"a.csv": CONTENT}


def test_child_does_not_keep_the_lock(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    part = folder / ".a.csv.part"
    copies: list[int] = []

    def inherit() -> None:
        # A copy of the open file, as a process forked at this moment would have.
        for number in range(3, 1000):
            with suppress(OSError):
                if os.path.samestat(os.fstat(number), part.stat()):
                    copies.append(os.dup(number))
                    return

    server.faults = [Fault(cut_at=HALF), Fault(then=inherit, status=401)]
    fails(url, folder)
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(*copies)
