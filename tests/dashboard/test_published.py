"""Queries on published marts: answers are kept as long as the version is active, and no longer."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dashboard import published
from dashboard.exposures import VIEWS
from publishing import readers
from settings import Settings

QUERY = "select n from marts.numbers where n > ? order by n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path))
    settings = Settings(data_dir=tmp_path, env="dev")
    settings.published("shop").parent.mkdir(parents=True)
    yield settings
    published._answer.clear()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The domains that were opened, in order."""
    opened: list[str] = []
    open_published = readers.open_published

    def counting(domain: str, settings: Settings):
        opened.append(domain)
        return open_published(domain, settings)

    monkeypatch.setattr(readers, "open_published", counting)
    return opened


def publish(settings: Settings, *numbers: int) -> Path:
    """Publish numbers as a new version, by one rename; return the file of the version."""
    path = settings.published("shop")
    version = path.with_name(f"version_{'_'.join(map(str, numbers))}")
    with duckdb.connect(str(version)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.numbers as select unnest($1::integer[]) as n", [list(numbers)])
    activate(settings, version)
    return version


def activate(settings: Settings, version: Path) -> None:
    link = settings.published("shop").with_name(".link")
    os.link(version, link)
    link.replace(settings.published("shop"))


def test_the_same_question_is_asked_once(settings: Settings, opened: list[str]) -> None:
    publish(settings, 1, 2, 3)
    answers = [published.ask("shop", QUERY, [1]) for _ in range(3)]
    assert [list(answer["n"]) for answer in answers] == [[2, 3]] * 3
    assert opened == ["shop"]
    # What a page does with its rows is not seen by the next one.
    answers[0]["n"] = 0
    assert list(published.ask("shop", QUERY, [1])["n"]) == [2, 3]
    assert answers[1].attrs == {published.MARTS: ["marts.numbers"]}
    assert list(published.ask("shop", QUERY, [2])["n"]) == [3]
    assert opened == ["shop", "shop"]


def test_another_version_is_seen_at_once(settings: Settings) -> None:
    first = publish(settings, 1, 2, 3)
    assert list(published.ask("shop", QUERY, [1])["n"]) == [2, 3]
    publish(settings, 7)
    assert list(published.ask("shop", QUERY, [1])["n"]) == [7]
    activate(settings, first)
    assert list(published.ask("shop", QUERY, [1])["n"]) == [2, 3]
    settings.published("shop").unlink()
    with pytest.raises(published.NothingToShowError):
        published.ask("shop", QUERY, [1])


def test_a_version_published_while_a_question_is_asked_is_the_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, 1)
    identity = readers.active_identity
    versions = iter([(8,), (9,)])

    def publishing(domain: str, settings: Settings) -> readers.Identity:
        before = identity(domain, settings)
        for numbers in versions:
            publish(settings, *numbers)
            break
        return before

    monkeypatch.setattr(readers, "active_identity", publishing)
    assert list(published.ask("shop", QUERY, [1])["n"]) == [9]
    monkeypatch.undo()


def test_a_reader_of_an_old_version_does_not_keep_it_for_others(settings: Settings) -> None:
    publish(settings, 1)
    with readers.open_published("shop", settings) as old:
        publish(settings, 2)
        with readers.open_published("shop", settings) as new:
            assert new.execute("select n from marts.numbers").fetchall() == [(2,)]
        assert old.execute("select n from marts.numbers").fetchall() == [(1,)]


def test_visitors_read_while_versions_are_published(settings: Settings) -> None:
    publish(settings, 1)
    wrong: list[object] = []

    def visit() -> None:
        latest = 0
        for _ in range(20):
            (n,) = published.ask("shop", "select n from marts.numbers")["n"]
            if n < latest:
                wrong.append((latest, n))
            latest = n

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for n in range(2, 12):
        publish(settings, n)
    for visitor in visitors:
        visitor.join(30)
    assert wrong == []
    assert list(published.ask("shop", "select n from marts.numbers")["n"]) == [11]


def test_an_error_is_not_kept(settings: Settings) -> None:
    publish(settings, 1)
    with pytest.raises(published.NothingToShowError, match="too old for this page"):
        published.ask("shop", "select * from marts.others")
    with duckdb.connect(str(settings.published("shop"))) as connection:
        connection.execute("create table marts.others as select 5 as n")
    assert list(published.ask("shop", "select * from marts.others")["n"]) == [5]


def test_no_query_of_a_page_depends_on_the_time() -> None:
    for path in [*VIEWS.glob("*.py"), *VIEWS.parent.glob("*.py")]:
        source = path.read_text().replace("no `now()`", "")
        assert not {"now()", "current_date", "current_timestamp", "random()"} & set(source.split()), path
        assert "now()" not in source, path
