"""Tells of alerts as of a fixed time: `python -m …`."""

import settings
from operations.health.alerts import tell
from tests.operations.health.test_alerts import NOW

if __name__ == "__main__":
    tell(settings.load(), now=NOW)
