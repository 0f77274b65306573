"""The days of the rows of a file, and whether another content of it is about other days."""

import json
import re
from collections.abc import Mapping

DAY = re.compile(r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}")
# A file of more days is no daily file.
MAX_DAYS = 400
SHOWN = 3


def days_as_text(counts: Mapping[str | None, int]) -> str | None:
    """Return the number of rows by day as JSON, without what is no day; None if there are none, or too many."""
    days = {day: rows for day, rows in sorted(counts.items(), key=str) if day and DAY.fullmatch(day)}
    return json.dumps(days) if 0 < len(days) <= MAX_DAYS else None


def replaced_days(old: str | None, new: str | None) -> str | None:
    """Return which rows leave for rows of other days only, such as `2 rows of 2024-05-01`; None if a day stays.

    Args:
        old: the days of the content that is replaced, see `days_as_text`.
        new: those of the content that replaces it.
    """
    before, after = (json.loads(text or "{}") for text in (old, new))
    # The same days may be written in another way.
    same_spelling = {_spelling(day) for day in before} & {_spelling(day) for day in after}
    if not same_spelling or before.keys() & after.keys():
        return None
    more = f" and {len(before) - SHOWN} more days" if len(before) > SHOWN else ""
    return f"{sum(before.values()):,} rows of {', '.join([*before][:SHOWN])}{more}"


def _spelling(day: str) -> str:
    return re.sub("[0-9]+", "9", day)
