"""The command `sluice`, of the project in the working folder: a checkout of a test has its own code."""

import sys

SLUICE = (sys.executable, "-m", "cli")
