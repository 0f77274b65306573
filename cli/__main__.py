"""`python -m cli` is `sluice`, for a Python in which the project is not installed."""

import sys

from cli.main import main

sys.exit(main())
