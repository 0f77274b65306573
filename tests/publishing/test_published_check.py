"""The check tells whether everything that is loaded is published."""

import duckdb
import pytest

from ingestion.load import load_domain
from publishing.file_store import FileStore
from publishing.published_check import has_all
from publishing.versions import Version, now, version_name
from settings import Settings

HEADER = "date,store,product_id,quantity,price\n"


@pytest.fixture
def loaded(settings: Settings) -> Settings:
    """Return settings with one loaded file."""
    load(settings, "a.csv", "2024-05-01,north,1,2,9.99\n")
    return settings


def load(settings: Settings, name: str, lines: str) -> None:
    path = settings.landing("sales") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + lines)
    path.with_name(f"{name}.done").touch()
    load_domain("sales", settings, entities=["sales"])


def publish(settings: Settings, *, activate: bool = True) -> str:
    """Make a version with the accounting mart of what is loaded now; return its name."""
    store = FileStore("sales", settings)
    version = Version(version_name(now(), "test"), {}, {})
    with store.lock():
        with duckdb.connect(str(store.candidate)) as published:
            published.execute(f"attach '{settings.warehouse}' as warehouse (read_only)")
            published.execute("set TimeZone = 'UTC'")
            published.execute("create schema marts")
            published.execute(
                "create table marts.audit_sales__row_counts as "
                "select entity, source_file, loaded_at::timestamp as loaded_at "
                "from warehouse.raw_sales.file_loads where status = 'loaded'"
            )
        store.add(version)
        if activate:
            store.activate(version.name, "test")
    return version.name


def test_nothing_loaded_is_published(settings: Settings) -> None:
    assert has_all("sales", settings)
    load_domain("collisions", settings)
    assert has_all("sales", settings)
    assert has_all("collisions", settings)


def test_a_load_is_unpublished_until_the_next_publication(loaded: Settings) -> None:
    assert not has_all("sales", loaded)
    publish(loaded)
    assert has_all("sales", loaded)
    load(loaded, "b.csv", "2024-05-01,south,1,2,9.99\n")
    assert not has_all("sales", loaded)
    publish(loaded)
    # New content of a known file, then the same content again.
    for published in (False, True):
        load(loaded, "b.csv", "2024-05-01,south,1,3,9.99\n")
        assert has_all("sales", loaded) is published
        publish(loaded)


def test_a_rollback_does_not_make_loads_unpublished(loaded: Settings) -> None:
    first = publish(loaded)
    load(loaded, "b.csv", "2024-05-01,south,1,2,9.99\n")
    publish(loaded)
    store = FileStore("sales", loaded)
    with store.lock():
        store.activate(first, "rollback")
    assert has_all("sales", loaded)


def test_a_version_that_was_never_active_does_not_count(loaded: Settings) -> None:
    publish(loaded, activate=False)
    assert not has_all("sales", loaded)


def test_a_broken_file_changes_nothing(loaded: Settings) -> None:
    publish(loaded)
    path = loaded.landing("sales") / "bad.csv"
    path.write_text("nothing\n")
    path.with_name("bad.csv.done").touch()
    with pytest.raises(RuntimeError, match=r"bad\.csv"):
        load_domain("sales", loaded, entities=["sales"])
    assert has_all("sales", loaded)
