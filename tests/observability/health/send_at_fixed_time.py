"""Send alerts as of a fixed time: `python -m …`."""

import settings
from observability.health.alerts import send_alerts
from tests.observability.health.test_alerts import NOW

if __name__ == "__main__":
    send_alerts(settings.load(), now=NOW)
