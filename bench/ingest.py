"""Loading a month of taxi trips: this project, the readers of DuckDB and PyArrow, pandas and dlt's two readers."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measuring import Ended, progress, run, spread, table
from settings import PROJECT_DIR

# March 2021, and four times as many.
ROWS = 1_925_152
SIZES = (ROWS, 4 * ROWS)
RUNS = 3
TIMED = """
import json, sys, time
{imports}
source, data = sys.argv[1:]
begun = time.perf_counter()
{work}
print(json.dumps({{"seconds": time.perf_counter() - begun}}))
"""
COMMAND, LOADING, DEFECTIVE = (
    "`sluice load taxi`",
    "its loading",
    "its loading, 65 lines defective",
)
DUCKDB, ARROW, DLT_DUCKDB, PANDAS, DLT = (
    "DuckDB `create table`",
    "PyArrow `open_csv` into DuckDB",
    "dlt filesystem source, `read_csv_duckdb`",
    "pandas, `to_sql` into SQLite",
    "dlt filesystem source, `read_csv`",
)
# What is timed inside of each process, after its imports; the command is timed as a whole.
WORK = {
    LOADING: ("from ingestion.load import load_domain", "load_domain('taxi')"),
    DEFECTIVE: ("from ingestion.load import load_domain", "load_domain('taxi')"),
    # The same columns, all text; nothing else.
    DUCKDB: (
        "import duckdb",
        """
with duckdb.connect(f"{data}/warehouse.duckdb") as connection:
    connection.execute(f"create table trips as select * from read_csv('{source}', all_varchar = true)")
""",
    ),
    ARROW: (
        "import csv, duckdb, gzip, pyarrow; from pyarrow.csv import ConvertOptions, open_csv",
        """
with gzip.open(source, "rt") as file:
    texts = dict.fromkeys(next(csv.reader(file)), pyarrow.string())
reader = open_csv(source, convert_options=ConvertOptions(column_types=texts))
with duckdb.connect(f"{data}/warehouse.duckdb") as connection:
    connection.execute("create table trips as select * from reader")
""",
    ),
    DLT_DUCKDB: (
        "import os, dlt; from dlt.sources.filesystem import filesystem, read_csv_duckdb",
        """
folder, name = os.path.split(source)
pipeline = dlt.pipeline(
    "trips", destination=dlt.destinations.duckdb(f"{data}/warehouse.duckdb"), pipelines_dir=f"{data}/dlt"
)
rows = read_csv_duckdb(chunk_size=100_000, use_pyarrow=True, all_varchar=True)
pipeline.run((filesystem(folder, file_glob=name) | rows).with_name("trips"), loader_file_format="parquet")
""",
    ),
    PANDAS: (
        "import sqlite3, pandas",
        """
with sqlite3.connect(f"{data}/warehouse.sqlite") as connection:
    for chunk in pandas.read_csv(source, chunksize=100_000):
        chunk.to_sql("trips", connection, if_exists="append", index=False)
""",
    ),
    DLT: (
        "import os, dlt; from dlt.sources.filesystem import filesystem, read_csv",
        """
folder, name = os.path.split(source)
pipeline = dlt.pipeline(
    "trips", destination=dlt.destinations.duckdb(f"{data}/warehouse.duckdb"), pipelines_dir=f"{data}/dlt"
)
pipeline.run((filesystem(folder, file_glob=name) | read_csv()).with_name("trips"))
""",
    ),
}
# Taken once and at the first size alone: they take minutes.
SLOW = (PANDAS, DLT)


def measure(quick: bool) -> tuple[str, dict]:
    """Load a generated month of each size in every way, in turn."""
    sizes, runs = ((50_000,), 1) if quick else (SIZES, RUNS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        raw = {f"{size:,}": _size(Path(folder), size, runs, slow=size == sizes[0]) for size in sizes}
    header = ["trips", "what", "seconds", "rows a second", "peak memory (MB)", "rate against DuckDB's"]
    return table(header, [row for size, results in raw.items() for row in _rows(size, results)]), raw


def _size(folder: Path, size: int, runs: int, *, slow: bool) -> dict[str, list[dict]]:
    clean = _sample(folder / "clean", size, "--defects", "none")
    # DuckDB's reader alone refuses this one; ingestion makes a repaired copy.
    defective = _sample(folder / "defective", size)
    ways: dict[str, Callable[[Path], Ended]] = {
        COMMAND: lambda data: _ingest(data, clean, "-m", "cli", "load", "taxi"),
        LOADING: lambda data: _ingest(data, clean, "-c", _script(LOADING), "", ""),
        DUCKDB: lambda data: _other(data, clean, DUCKDB),
        DEFECTIVE: lambda data: _ingest(data, defective, "-c", _script(DEFECTIVE), "", ""),
        ARROW: lambda data: _other(data, clean, ARROW),
        DLT_DUCKDB: lambda data: _other(data, clean, DLT_DUCKDB),
        PANDAS: lambda data: _other(data, clean, PANDAS),
        DLT: lambda data: _other(data, clean, DLT),
    }
    results: dict[str, list[dict]] = {name: [] for name in ways if slow or name not in SLOW}
    for number in range(runs):
        progress(f"{size:,} trips, run {number + 1} of {runs}")
        for name in results:
            if name in SLOW and number:
                continue
            data = folder / "data"
            data.mkdir()
            ended = ways[name](data)
            shutil.rmtree(data)
            inner = json.loads(ended.output.splitlines()[-1]) if name != COMMAND else {}
            results[name].append(
                {"seconds": ended.seconds, "cpu_seconds": ended.cpu_seconds, "peak_mb": ended.peak_mb} | inner
            )
    clean.unlink()
    defective.unlink()
    return results


def _script(name: str) -> str:
    imports, work = WORK[name]
    return TIMED.format(imports=imports, work=work)


def _sample(folder: Path, size: int, *options: str) -> Path:
    command = [
        "-m",
        "cli",
        "samples",
        "taxi",
        "--months",
        "2021-03",
        "--rows",
        str(size),
        "--suffix",
        "csv.gz",
    ]
    run([*command, "--out", str(folder), *options], cwd=PROJECT_DIR, data_dir=folder)
    (file,) = folder.glob("*.csv.gz")
    return file


def _ingest(data: Path, file: Path, *arguments: str) -> Ended:
    landing = data / "landing" / "taxi"
    landing.mkdir(parents=True)
    os.link(file, landing / file.name)
    return run(arguments, cwd=PROJECT_DIR, data_dir=data)


def _other(data: Path, file: Path, name: str) -> Ended:
    return run(["-c", _script(name), str(file), str(data)], cwd=PROJECT_DIR, data_dir=data, timeout=1800)


def _rows(size: str, results: dict[str, list[dict]]) -> list[list[str]]:
    rows = []
    base = results[DUCKDB]
    for name, found in results.items():
        seconds = [result["seconds"] for result in found]
        speeds = [int(size.replace(",", "")) / second for second in seconds]
        peaks = [result["peak_mb"] for result in found]
        ratios = [other["seconds"] / second for second, other in zip(seconds, base, strict=False)]
        ratio = "" if name == DUCKDB else spread(ratios, 2)
        rows.append([size, name, spread(seconds, 2), spread(speeds, 0), spread(peaks, 0), ratio])
    return rows
