"""Starts a process that ignores SIGTERM only when it is itself told to end, and names it in a file."""

import signal
import subprocess
import sys
import time
from pathlib import Path

WAITS = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
)


def start_late(*_: object) -> None:
    """Start the process, wait until it ignores the signal, and end."""
    child = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE)
    child.stdout.readline()
    Path(sys.argv[1]).write_text(str(child.pid))
    sys.exit()


signal.signal(signal.SIGTERM, start_late)
Path(sys.argv[1]).touch()
time.sleep(60)
