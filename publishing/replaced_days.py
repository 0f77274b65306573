"""Files whose new content is about other days than the published rows that it replaces."""

from datetime import datetime

from common.days import replaced_days
from warehouse import Warehouse


def replaced_since(warehouse: Warehouse, domain: str, published_at: str | None) -> list[str]:
    """Return a sentence for each file that replaced rows by rows of other days only, since a version was published.

    Args:
        warehouse: the working warehouse.
        domain: the pipeline.
        published_at: when the version was made; None if nothing is published, so that no reader misses a row.
    """
    schema = f"raw_{domain}"
    if not published_at or "rows_by_day" not in warehouse.columns(schema, "file_loads"):
        return []
    found = warehouse.execute(
        f"select entity, source_file, status, loaded_at, rows_by_day from {schema}.file_loads"
        " where status in ('loaded', 'replaced') order by loaded_at"
    ).fetchall()
    since = datetime.fromisoformat(published_at)
    published: dict[tuple[str, str], str | None] = {}
    new: dict[tuple[str, str], str | None] = {}
    for entity, name, status, loaded_at, days in found:
        if loaded_at.astimezone(since.tzinfo) <= since:
            published[entity, name] = days
        elif status == "loaded":
            new[entity, name] = days
    sentences = []
    for file, days in new.items():
        if rows := replaced_days(published.get(file), days):
            sentences.append(f"{file[1]} replaces {rows} by rows of other days only")
    return sentences
