"""Tells of alerts as of a fixed time: `python -m …`."""

import settings
from observability.health.alerts import tell
from tests.observability.health.test_alerts import NOW

if __name__ == "__main__":
    tell(settings.load(), now=NOW)
