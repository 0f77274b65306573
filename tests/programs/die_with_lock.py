"""Acquire the lock of an Airflow and die; argument: the lock's file."""

import os
import signal
import sys
from pathlib import Path

from local_airflow.processes import Lock

lock = Lock(Path(sys.argv[1]))
lock.acquire()
os.kill(os.getpid(), signal.SIGKILL)
