"""Tells of alerts as of a fixed time: `python -m …`."""

import settings
from operations.health_alerts import tell
from tests.operations.test_health_alerts import NOW

if __name__ == "__main__":
    tell(settings.load(), now=NOW)
