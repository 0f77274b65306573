"""Time and memory of loading input that is made to take both: each ends as a load or with a reason, in bounds."""

import gzip
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.measuring import Ended, progress, run, spread, table
from ingestion.sources.collisions import CRASHES
from settings import PROJECT_DIR

RUNS = 3
HEADER = ",".join(CRASHES.columns).encode() + b"\n"
# So that each file but the last is loaded, with its rejected lines.
GOOD = b",".join([b"1"] * len(CRASHES.columns)) + b"\n"
# Prints how the load ended; a file that is rejected is no failure of the measurement.
LOAD = """
from ingestion.load import load_domain
from ingestion.results import FilesFailedError
try:
    print(load_domain("{domain}"))
except FilesFailedError as error:
    print(error.summary)
"""


def _short_lines() -> Iterator[bytes]:
    yield HEADER + GOOD
    yield b"x\n" * 400_000


def _packed_lines() -> Iterator[bytes]:
    yield HEADER + GOOD
    for _ in range(50):
        yield b"x\n" * 100_000


def _open_quotes() -> Iterator[bytes]:
    yield HEADER + GOOD
    yield b'b",c,"\n' * 400_000


def _one_line() -> Iterator[bytes]:
    yield HEADER + GOOD
    for _ in range(500):
        yield b"x" * 1_000_000


def _columns() -> Iterator[bytes]:
    yield HEADER.rstrip() + b"," + b",".join(b"extra_%d" % number for number in range(5_000)) + b"\n"
    yield b"," * (len(CRASHES.columns) + 5_000 - 1) + b"\n"


FILES: dict[str, tuple[str, Callable[[], Iterator[bytes]]]] = {
    "400,000 short lines": ("a.csv", _short_lines),
    "5,000,000 bad lines in a gzip of 10 KB": ("a.csv.gz", _packed_lines),
    "400,000 lines that open and close quotes": ("a.csv", _open_quotes),
    "one line of 500 MB": ("a.csv", _one_line),
    "5,000 columns": ("a.csv", _columns),
}


RECORD = "one API record with 5,000 fields"


class _Products(BaseHTTPRequestHandler):
    """An API of products: a good one, and one with 5,000 fields."""

    def do_GET(self) -> None:
        records = [
            {
                "id": number,
                "name": "Lamp",
                "category": "Home",
                "price": 4.5,
                "updated_at": "2024-05-01T00:00:00Z",
            }
            for number in "12"
        ]
        records[1] |= {f"field_{number}": "x" * 1_000 for number in range(5_000)}
        answer = json.dumps({"items": records if "page=1&" in f"{self.path}&" else []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def measure(quick: bool) -> tuple[str, dict]:
    """Load each file, and the records of the API, some times into an empty warehouse."""
    runs = 1 if quick else RUNS
    ended: dict[str, list[Ended]] = {}
    for what, (name, content) in FILES.items():
        progress(what)
        ended[what] = [_load(name, content) for _ in range(runs)]
    progress(RECORD)
    ended[RECORD] = [_load_api() for _ in range(runs)]
    rows = [
        [
            what,
            str(len(times)),
            spread([each.seconds for each in times], 1),
            spread([each.peak_mb for each in times], 0),
        ]
        for what, times in ended.items()
    ]
    raw = {
        what: [[each.seconds, each.peak_mb, each.output] for each in times] for what, times in ended.items()
    }
    return table(["input", "runs", "seconds", "peak memory (MB)"], rows), raw


def _load(name: str, content: Callable[[], Iterator[bytes]]) -> Ended:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        path = Path(folder) / "landing" / "collisions" / name
        path.parent.mkdir(parents=True)
        with gzip.open(path, "wb") if name.endswith(".gz") else path.open("wb") as file:
            for part in content():
                file.write(part)
        return run(["-c", LOAD.format(domain="collisions")], cwd=PROJECT_DIR, data_dir=Path(folder))


def _load_api() -> Ended:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Products)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables = {
        "SLUICE_PRODUCTS_API_URL": f"http://127.0.0.1:{server.server_port}",
        "SLUICE_PRODUCTS_API_TOKEN": "bench-token",
    }
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
            return run(
                ["-c", LOAD.format(domain="sales")],
                cwd=PROJECT_DIR,
                data_dir=Path(folder),
                variables=variables,
            )
    finally:
        server.shutdown()
        server.server_close()
