"""Times of records."""

from datetime import UTC, datetime, timedelta
from typing import Any

# A record may become visible later than the time of its change, because of transactions, replicas or clocks.
OVERLAP = timedelta(days=1)


def parse_time(value: Any) -> datetime | None:
    """Parse a time in ISO 8601, in UTC if it has no zone; None for anything else."""
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
