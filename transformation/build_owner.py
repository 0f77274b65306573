"""The run that built a domain's models last; only this run may publish them.

Two runs of a domain can overlap, for example in a backfill. The later one also builds what the earlier one loaded. If the
earlier one published after the later build, readers would see rows that no test has checked.
"""

from common.atomic_write import atomic_write
from settings import Settings


def record_build_owner(domain: str, run_id: str, settings: Settings) -> None:
    """Record that a run starts or ends building a domain's models."""
    file = settings.builder(domain)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as candidate:
        candidate.write_text(run_id)


def other_build_owner(domain: str, run_id: str, settings: Settings) -> str | None:
    """Return the run that has built a domain's models since this one did, or None."""
    try:
        latest = settings.builder(domain).read_text()
    except FileNotFoundError:
        return None
    return latest if latest != run_id else None
