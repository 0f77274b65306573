"""A publication is whole or does not happen, and does not disturb readers."""

import json
import os
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.main import main
from observability.metrics.summary import published_counts
from publishing import publish as publishing
from publishing.errors import PublishError
from publishing.publish import publish
from publishing.quarantine_share import QuarantineShare
from settings import Settings
from tests.holding import held
from tests.kill_at import run_to_death
from tests.publishing.things import build, names, write_manifest
from transformation import dbt
from warehouse import WarehouseBusyError, connect


@pytest.fixture
def built(settings: Settings) -> Settings:
    write_manifest(settings)
    build(settings)
    return settings


def quarantine_one_more(settings: Settings) -> None:
    """Put two of twenty rows in quarantine, one of them for two rules."""
    with connect(settings) as warehouse:
        warehouse.execute(
            "update marts.audit_things__row_counts set rows_quarantined = 1 where source_file = 'c.csv'"
        )
        warehouse.execute("create schema clean")
        warehouse.execute(
            "create table clean.quarantine_things__big as select 'b_is_known,a_is_present' as _failed_rules"
        )
        warehouse.execute(
            "create table clean.quarantine_things__small as select 'a_is_present' as _failed_rules"
        )
        warehouse.execute(
            "create table clean.quarantine_others__big as select 'no_rule_of_ours' as _failed_rules"
        )


def ids(path: Path) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as published:
        return [row[0] for row in published.execute("select id from marts.fct_things order by id").fetchall()]


def test_marts_of_the_domain_and_shared_marts_are_published(built: Settings) -> None:
    publication = publish("things", built)
    assert publication.rows == {"audit_things__row_counts": 3, "dim_dates": 1, "fct_things": 3}
    assert ids(publication.path) == [0, 1, 2]
    assert names(built) == [f"{publication.version}.duckdb"]


def test_a_reader_keeps_the_version_that_it_opened(built: Settings) -> None:
    path = publish("things", built).path
    with duckdb.connect(str(path), read_only=True) as reader:
        with connect(built) as warehouse:
            warehouse.execute("insert into marts.fct_things values (3)")
        publish("things", built)
        assert reader.execute("select count(*) from marts.fct_things").fetchone() == (3,)
    assert ids(path) == [0, 1, 2, 3]


def test_a_missing_mart_leaves_the_published_file(built: Settings) -> None:
    path = publish("things", built).path
    before = path.read_bytes()
    with connect(built) as warehouse:
        warehouse.execute("drop table marts.fct_things")
    with pytest.raises(PublishError, match=r"marts\.fct_things has not been built"):
        publish("things", built)
    assert path.read_bytes() == before
    assert len(names(built)) == 1


def test_a_domain_without_marts_is_an_error(built: Settings) -> None:
    with pytest.raises(PublishError, match="'thing'"):
        publish("thing", built)


def test_a_busy_warehouse_is_waited_for_and_its_holder_named(settings: Settings) -> None:
    with (
        held(settings.warehouse) as holder,
        pytest.raises(WarehouseBusyError, match=f"held by process {holder.pid}"),
        connect(settings, wait_seconds=0.5),
    ):
        pass
    with connect(settings, wait_seconds=5):
        pass


def test_too_many_rows_in_quarantine_stop(built: Settings) -> None:
    path = publish("things", built).path
    before = path.read_bytes()
    quarantine_one_more(built)
    with pytest.raises(PublishError) as stopped:
        publish("things", built)
    message = str(stopped.value)
    assert "2 of 20 rows read are in quarantine: 10.00% (limit: 5.00%)" in message
    assert (
        "Rules that fail most: big.a_is_present (1), big.b_is_known (1), small.a_is_present (1)." in message
    )
    assert "sluice quarantine things" in message
    assert "sluice publish things --force-publish" in message
    assert path.read_bytes() == before
    assert len(names(built)) == 1


def test_a_share_equal_to_the_limit_is_published(built: Settings) -> None:
    share = QuarantineShare(rows_quarantined=1, rows_read=20, share=0.05, limit=0.05, is_over=False)
    assert publish("things", built).quarantine == share


def test_a_first_publication_can_be_stopped_too(built: Settings) -> None:
    quarantine_one_more(built)
    with pytest.raises(PublishError):
        publish("things", built)
    assert names(built) == []


def test_force_publishes_in_spite_of_the_quarantine(built: Settings) -> None:
    quarantine_one_more(built)
    publication = publish("things", built, accept=True)
    assert ids(publication.path) == [0, 1, 2]
    assert json.loads(json.dumps(publication.to_dict()))["quarantine"] == {
        "rows_quarantined": 2,
        "rows_read": 20,
        "share": 0.1,
        "limit": 0.05,
        "is_over": True,
    }


def test_the_command_prints_what_was_forced(
    built: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.options.domains", lambda: ["things"])
    quarantine_one_more(built)
    assert main(["publish", "things"]) == 2
    assert "2 of 20 rows read are in quarantine" in capsys.readouterr().err
    assert main(["publish", "things", "--force-publish"]) == 0
    assert "accepted: 2 of 20 rows read are in quarantine: 10.00%" in capsys.readouterr().out


def test_no_rows_are_within_any_limit(built: Settings) -> None:
    write_manifest(built, group={"quarantine_limit": 0})
    with connect(built) as warehouse:
        warehouse.execute("delete from marts.audit_things__row_counts")
    assert publish("things", built).quarantine.share == 0


@pytest.mark.parametrize(("limit", "publishes"), [(0.1, True), (1, True), (0.0999, False), (0, False)])
def test_a_domain_can_set_its_limit(built: Settings, limit: float, publishes: bool) -> None:
    write_manifest(built, group={"quarantine_limit": limit})
    quarantine_one_more(built)
    if publishes:
        assert publish("things", built).quarantine.limit == limit
    else:
        with pytest.raises(PublishError, match=re.escape(f"(limit: {limit:.2%})")):
            publish("things", built)


@pytest.mark.parametrize("limit", [5, -0.1, "5 %", "0.05", None, True, float("nan")])
def test_an_invalid_limit_is_an_error(built: Settings, limit: Any) -> None:
    write_manifest(built, group={"quarantine_limit": limit})
    with pytest.raises(PublishError, match="quarantine_limit in config.meta of the group things"):
        publish("things", built, accept=True)


def test_a_domain_without_its_accounting_mart_is_an_error(built: Settings) -> None:
    manifest = json.loads(built.manifest.read_text())
    del manifest["nodes"]["audit_things__row_counts"]
    built.manifest.write_text(json.dumps(manifest))
    with pytest.raises(PublishError, match="dbt has no mart audit_things__row_counts"):
        publish("things", built)


@pytest.mark.parametrize(("config", "limit"), [("config: {meta: {quarantine_limit: 0.1}}", 0.1), ("", 0.05)])
def test_the_limit_is_read_from_the_yaml_of_the_group(
    built: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, limit: float
) -> None:
    project = tmp_path / "dbt_project"
    models = project / "models"
    models.mkdir(parents=True)
    (project / "dbt_project.yml").write_text(
        "{name: sluice, profile: sluice, models: {sluice: {+tags: [things], +schema: marts}}}"
    )
    macro = project / "macros" / "generate_schema_name.sql"
    macro.parent.mkdir()
    macro.write_text((dbt.DBT_PROJECT_DIR / "macros" / macro.name).read_text())
    (models / "audit_things__row_counts.sql").write_text("select 1 as rows_read, 0 as rows_quarantined")
    (models / "_things__models.yml").write_text(
        f"groups:\n  - name: things\n    owner: {{name: Ann}}\n    {config}\n"
    )
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", project)
    monkeypatch.setattr(publishing, "ensure_manifest", dbt.ensure_manifest)
    built.manifest.unlink()
    publication = publish("things", built)
    assert publication.rows == {"audit_things__row_counts": 3}
    assert publication.quarantine.limit == limit


@pytest.mark.parametrize(
    ("target", "moment"),
    [
        ("publishing.publish:quarantine_share", "after"),
        ("publishing.candidate:write", "after"),
        ("common.atomic_write:sync", "after"),
    ],
)
def test_a_killed_publish_leaves_the_published_file(built: Settings, target: str, moment: str) -> None:
    path = publish("things", built).path
    before = path.read_bytes()
    os.utime(built.manifest, (4e9, 4e9))  # younger than any file of the project
    run_to_death((target, moment, 1), built, "tests.publishing.publish_things")
    assert path.read_bytes() == before
    publish("things", built)
    assert len(names(built)) == 2


def test_there_are_no_counts_before_a_publication(settings: Settings) -> None:
    assert published_counts("things", settings) == {}


def test_a_published_file_explains_its_tables_and_columns(built: Settings) -> None:
    comments = (
        "select table_name, '', comment from duckdb_tables() where comment <> '' union all"
        " select table_name, column_name, comment from duckdb_columns() where comment <> '' order by all"
    )

    def published(text: str) -> list[tuple]:
        write_manifest(built, columns={"id": {"description": text}, "gone": {"description": "Not there."}})
        publish("things", built)
        with duckdb.connect(str(built.published("things")), read_only=True) as file:
            return file.execute(comments).fetchall()

    assert published("Id of the thing's owner.") == [("fct_things", "id", "Id of the thing's owner.")]
    # Also where no row has changed.
    assert published("Id.") == [("fct_things", "id", "Id.")]
    assert published("") == []
