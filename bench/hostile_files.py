"""Time and memory of loading files that are made to take both: each ends as a load or with a reason, in bounds."""

import gzip
import tempfile
from collections.abc import Callable, Iterator
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
    print(load_domain("collisions"))
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


def measure(quick: bool) -> tuple[str, dict]:
    """Load each file some times into an empty warehouse."""
    ended: dict[str, list[Ended]] = {}
    for what, (name, content) in FILES.items():
        progress(what)
        ended[what] = [_load(name, content) for _ in range(1 if quick else RUNS)]
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
    return table(["file", "runs", "seconds", "peak memory (MB)"], rows), raw


def _load(name: str, content: Callable[[], Iterator[bytes]]) -> Ended:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        path = Path(folder) / "landing" / "collisions" / name
        path.parent.mkdir(parents=True)
        with gzip.open(path, "wb") if name.endswith(".gz") else path.open("wb") as file:
            for part in content():
                file.write(part)
        return run(["-c", LOAD], cwd=PROJECT_DIR, data_dir=Path(folder))
