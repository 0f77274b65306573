"""Hold the lock on a file until the process is killed: `python -m tests.publishing.hold_lock FILE`."""

import sys
from pathlib import Path

from common.file_lock import file_lock

if __name__ == "__main__":
    with file_lock(Path(sys.argv[1]), wait_seconds=5):
        print("held", flush=True)
        sys.stdin.read()
