"""The check tells whether the marts of the warehouse are published."""

import duckdb
import pytest

from publishing.file_store import FileStore
from publishing.published_check import is_published
from publishing.versions import Version, now, version_name
from settings import Settings


@pytest.fixture
def store(settings: Settings) -> FileStore:
    return FileStore("sales", settings)


def publish(store: FileStore, marts: str | None, *, activate: bool = True) -> str:
    """Make a version of marts with this fingerprint; return its name."""
    version = Version(version_name(now(), "test"), {"marts": marts}, {})
    with store.lock():
        duckdb.connect(str(store.candidate)).close()
        store.add(version)
        if activate:
            store.activate(version.name, "test")
    return version.name


def test_marts_are_published_if_the_newest_version_has_their_fingerprint(
    store: FileStore, settings: Settings
) -> None:
    assert not is_published("sales", settings, "first")
    publish(store, "first")
    assert is_published("sales", settings, "first")
    assert not is_published("sales", settings, "second")
    publish(store, "second")
    assert is_published("sales", settings, "second")
    # What was published before is not what readers see.
    assert not is_published("sales", settings, "first")


def test_a_rollback_is_not_undone(store: FileStore, settings: Settings) -> None:
    first = publish(store, "first")
    publish(store, "second")
    with store.lock():
        store.activate(first, "rollback")
    assert is_published("sales", settings, "second")


def test_a_version_that_was_never_active_does_not_count(store: FileStore, settings: Settings) -> None:
    publish(store, "first", activate=False)
    assert not is_published("sales", settings, "first")


def test_marts_of_which_nobody_knows_whether_they_are_tested_are_published_again(
    store: FileStore, settings: Settings
) -> None:
    publish(store, None)
    assert not is_published("sales", settings, "first")


def test_a_published_file_that_is_gone_is_published_again(store: FileStore, settings: Settings) -> None:
    publish(store, "first")
    settings.published("sales").unlink()
    assert not is_published("sales", settings, "first")
