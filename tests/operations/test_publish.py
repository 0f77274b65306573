"""Publishing: whole or not at all, and readers are never disturbed."""

import json
from pathlib import Path

import duckdb
import pytest

from ingestion.warehouse import WarehouseBusyError, connect
from operations import publish as publishing
from operations.publish import PublishError, publish
from operations.summary import collect
from settings import Settings


@pytest.fixture
def built(settings: Settings) -> Settings:
    """A warehouse with two marts, of which the manifest knows."""
    marts = {"fct_things": ["things"], "dim_date": ["shared"], "fct_others": ["others"]}
    nodes = {
        name: {"resource_type": "model", "schema": "marts", "alias": name, "tags": tags}
        for name, tags in marts.items()
    }
    settings.manifest.parent.mkdir(parents=True)
    settings.manifest.write_text(json.dumps({"nodes": nodes}))
    with connect(settings) as warehouse:
        warehouse.execute("create schema marts")
        warehouse.execute("create table marts.fct_things as select range as id from range(3)")
        warehouse.execute("create table marts.dim_date as select date '2022-01-01' as date_day")
    return settings


@pytest.fixture(autouse=True)
def fresh_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "ensure_manifest", lambda settings: None)


def ids(path: Path) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as published:
        return [row[0] for row in published.execute("select id from marts.fct_things order by id").fetchall()]


def test_the_domains_marts_and_the_shared_ones_are_published(built: Settings) -> None:
    publication = publish("things", built)
    assert publication.rows == {"dim_date": 1, "fct_things": 3}
    assert ids(publication.path) == [0, 1, 2]
    assert [path.name for path in publication.path.parent.iterdir()] == ["things.duckdb"]


def test_a_reader_keeps_the_version_that_it_opened(built: Settings) -> None:
    path = publish("things", built).path
    with duckdb.connect(str(path), read_only=True) as reader:
        with connect(built) as warehouse:
            warehouse.execute("delete from marts.fct_things where id = 0")
        publish("things", built)
        assert reader.execute("select count(*) from marts.fct_things").fetchone() == (3,)
    assert ids(path) == [1, 2]


def test_a_mart_that_is_missing_leaves_the_published_file_as_it_was(built: Settings) -> None:
    path = publish("things", built).path
    before = path.read_bytes()
    with connect(built) as warehouse:
        warehouse.execute("drop table marts.fct_things")
    with pytest.raises(PublishError, match=r"marts\.fct_things has not been built"):
        publish("things", built)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["things.duckdb"]


def test_a_domain_without_marts_is_an_error(built: Settings) -> None:
    with pytest.raises(PublishError, match="'thing'"):
        publish("thing", built)


def test_a_warehouse_in_use_is_waited_for_and_then_named(settings: Settings) -> None:
    import subprocess
    import sys

    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    settings.warehouse.parent.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(settings.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(WarehouseBusyError, match=f"held by process {holder.pid}"),
            connect(settings, wait_seconds=0.5),
        ):
            pass
        holder.stdin.close()
    with connect(settings, wait_seconds=5):
        pass


def test_nothing_published_has_no_numbers(settings: Settings) -> None:
    assert collect("things", settings) == {}
