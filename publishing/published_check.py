"""Checks whether what is loaded is published."""

from publishing.store import store_of
from settings import Settings
from transformation.manifest import row_counts_mart
from warehouse import read_connection, warehouse_exists


def has_all(domain: str, settings: Settings) -> bool:
    """Return whether the newest version contains the current content of every file that is loaded.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    if not warehouse_exists(settings):
        return True
    with read_connection(settings) as warehouse:
        if not warehouse.columns(f"raw_{domain}", "file_loads"):
            return True
        loaded = warehouse.execute(
            f"select entity, source_file, {_microseconds('max(loaded_at)')}"
            f" from raw_{domain}.file_loads where status = 'loaded' group by 1, 2"
        ).fetchall()
    store = store_of(domain, settings)
    # Readers have not seen a version that was never activated, as by a run that was killed before.
    seen = {line["version"] for line in store.history()}
    made = [version for version in store.versions() if version.name in seen]
    if not made:
        return not loaded
    # The newest version, not the active one: the next run must not undo a rollback.
    files = (
        f"select entity, source_file, {_microseconds('loaded_at')} from {{marts}}.{row_counts_mart(domain)}"
    )
    return set(loaded) == set(store.query(made[-1], files))


def _microseconds(time: str) -> str:
    """Return SQL for a time in microseconds, whether it has a zone or is in UTC without one."""
    return f"cast(round(extract(epoch from {time}) * 1000000) as bigint)"
