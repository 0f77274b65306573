"""What readers have of what is loaded."""

from publishing.stores import store_of
from settings import Settings
from warehouse import is_there, reading


def has_all(domain: str, settings: Settings) -> bool:
    """Whether the newest version was made of all that is loaded: of each file, the content that counts.

    Args:
        domain: the pipeline.
        settings: which data folder and environment.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    if not is_there(settings):
        return True
    with reading(settings) as warehouse:
        if not warehouse.columns(f"raw_{domain}", "file_loads"):
            return True
        loaded = warehouse.execute(
            f"select entity, source_file, {_moment('max(loaded_at)')}"
            f" from raw_{domain}.file_loads where status = 'loaded' group by 1, 2"
        ).fetchall()
    store = store_of(domain, settings)
    # One that was made and not put in place, as by a run that was killed between the two, nobody has seen.
    seen = {line["version"] for line in store.history()}
    made = [version for version in store.all() if version.name in seen]
    if not made:
        return not loaded
    # The newest, not the one in use: who has gone back to an earlier one does not want it undone.
    files = f"select entity, source_file, {_moment('loaded_at')} from {{marts}}.audit_{domain}__row_counts"
    return set(loaded) == set(store.rows(made[-1], files))


def _moment(time: str) -> str:
    """SQL for a time in microseconds, be it one with a zone, or one in UTC without."""
    return f"cast(round(extract(epoch from {time}) * 1000000) as bigint)"
