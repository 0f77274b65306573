"""Loading a CSV file: `python -m ingestion` against DuckDB's own `read_csv`, rows a second and memory."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measuring import Ended, progress, run, spread, table
from settings import PROJECT_DIR

SIZES = (500_000, 2_000_000)
RUNS = 3
TIMED = """
import json, sys, time
{imports}
begun = time.perf_counter()
{work}
print(json.dumps({{"seconds": time.perf_counter() - begun}}))
"""
LOADING = TIMED.format(imports="from ingestion.load import load_domain", work="load_domain('collisions')")
# The same columns, all text; nothing else.
DUCKDB = TIMED.format(
    imports="import duckdb",
    work="""
source, warehouse = sys.argv[1:]
with duckdb.connect(warehouse) as connection:
    connection.execute(f"create table crashes as select * from read_csv('{source}', all_varchar = true)")
""",
)
COMMAND, COMMAND_REPAIR, INSIDE, DUCK, DUCK_INSIDE = (
    "`python -m ingestion`",
    "`python -m ingestion`, 35 bad lines",
    "its loading, without start and imports",
    "DuckDB as a process",
    "DuckDB's loading, without start and imports",
)


def measure(quick: bool) -> tuple[str, dict]:
    """Load a generated file of each size in every way, in turn."""
    sizes, runs = ((50_000,), 1) if quick else (SIZES, RUNS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        raw = {f"{size:,}": _size(Path(folder), size, runs) for size in sizes}
    header = ["crashes", "what", "seconds", "rows a second", "peak memory (MB)", "seconds against DuckDB's"]
    return table(header, [row for size, results in raw.items() for row in _rows(size, results)]), raw


def _size(folder: Path, size: int, runs: int) -> dict[str, list[dict]]:
    clean = _sample(folder / "clean", size, "--defects", "none")
    # DuckDB's reader alone refuses this one; ingestion makes a repaired copy.
    defective = _sample(folder / "defective", size)
    ways: dict[str, Callable[[Path], Ended]] = {
        COMMAND: lambda data: _ingest(data, clean, "-m", "ingestion", "collisions"),
        INSIDE: lambda data: _ingest(data, clean, "-c", LOADING),
        DUCK: lambda data: run(
            ["-c", DUCKDB, str(clean), str(data / "warehouse.duckdb")], cwd=PROJECT_DIR, data_dir=data
        ),
        COMMAND_REPAIR: lambda data: _ingest(data, defective, "-m", "ingestion", "collisions"),
    }
    results: dict[str, list[dict]] = {name: [] for name in [*ways, DUCK_INSIDE]}
    for number in range(runs):
        progress(f"{size:,} crashes, run {number + 1} of {runs}")
        for name, load in ways.items():
            data = folder / "data"
            data.mkdir()
            ended = load(data)
            shutil.rmtree(data)
            result = {"seconds": ended.seconds, "cpu_seconds": ended.cpu_seconds, "peak_mb": ended.peak_mb}
            if name in (INSIDE, DUCK):
                inner = json.loads(ended.output.splitlines()[-1])
                results[INSIDE if name == INSIDE else DUCK_INSIDE].append(inner)
            if name != INSIDE:
                results[name].append(result)
    clean.unlink()
    defective.unlink()
    return results


def _sample(folder: Path, size: int, *options: str) -> Path:
    command = ["-m", "samples", "collisions", "--rows", str(size), "--out", str(folder), *options]
    run(command, cwd=PROJECT_DIR, data_dir=folder)
    (file,) = folder.glob("*.csv")
    return file


def _ingest(data: Path, file: Path, *arguments: str) -> Ended:
    landing = data / "landing" / "collisions"
    landing.mkdir(parents=True)
    os.link(file, landing / file.name)
    return run(arguments, cwd=PROJECT_DIR, data_dir=data)


def _rows(size: str, results: dict[str, list[dict]]) -> list[list[str]]:
    rows = []
    for name in (COMMAND, COMMAND_REPAIR, DUCK, INSIDE, DUCK_INSIDE):
        seconds = [result["seconds"] for result in results[name]]
        speeds = [int(size.replace(",", "")) / second for second in seconds]
        peaks = [result["peak_mb"] for result in results[name] if "peak_mb" in result]
        base = results[DUCK_INSIDE if name in (INSIDE, DUCK_INSIDE) else DUCK]
        ratios = [second / other["seconds"] for second, other in zip(seconds, base, strict=True)]
        ratio = "" if name in (DUCK, DUCK_INSIDE) else spread(ratios, 2)
        memory = spread(peaks, 0) if peaks else ""
        rows.append([size, name, spread(seconds, 2), spread(speeds, 0), memory, ratio])
    return rows
