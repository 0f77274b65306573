"""Another process that has a DuckDB file open."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).parent / "programs" / "hold_duckdb_file.py"


@contextmanager
def held(path: Path, *, read_only: bool = False, seconds: float = 600) -> Iterator[subprocess.Popen[str]]:
    """Hold the file until the block ends, or for `seconds`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(PROGRAM), str(path), str(read_only), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()
