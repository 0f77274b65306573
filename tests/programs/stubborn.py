"""Ignore SIGTERM for a minute; with the argument `parent`, start such a process in a session of its own and wait for it."""

import signal
import subprocess
import sys
import time

if sys.argv[1:] == ["parent"]:
    subprocess.run([sys.executable, __file__], start_new_session=True)
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(1, flush=True)
    time.sleep(60)
