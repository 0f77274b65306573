"""Which run built a domain's models last: it alone publishes them, after its tests.

Of two runs of a domain at once, as a backfill may have them, the later one builds what the earlier one loaded as well.
Were the earlier one to publish after it, readers could see what no test has passed.
"""

from common.atomic_write import atomic_write
from settings import Settings


def record_build_owner(domain: str, run_id: str, settings: Settings) -> None:
    """Note that a run builds a domain's models, from now on or until now."""
    file = settings.builder(domain)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as candidate:
        candidate.write_text(run_id)


def other_build_owner(domain: str, run_id: str, settings: Settings) -> str | None:
    """The run that has built a domain's models since this one did; None if there is none."""
    try:
        latest = settings.builder(domain).read_text()
    except FileNotFoundError:
        return None
    return latest if latest != run_id else None
