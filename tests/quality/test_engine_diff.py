"""The marts of two targets are compared: every difference is reported, and nothing else."""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
import subprocess
from pathlib import Path

import pytest

import settings as project_settings
from cli.main import main
from publishing.publish import publish
from quality import engine_diff
from quality.engine_diff import compare_published, type_family
from settings import Settings
from tests.publishing.things import write_manifest
from tests.servers.postgres_fixtures import server, settings  # noqa: F401
from warehouse import connect

FACT = """
create table marts.fct_things as
    select 1 as id, cast(1.50 as numeric(9, 2)) as amount, 'a' as note, cast(true as boolean) as is_new,
        date '2022-01-01' as day, timestamp '2022-01-01 10:00:00.5' as happened_at, timestamp '{at}' as loaded_at,
        cast(null as text) as nothing, '[{{"_dlt_load_id":"{load}","x":"1"}}]' as examples, '{load}' as _dlt_load_id
    union all
    select 2, cast(-0.01 as numeric(9, 2)), 'ü "\\,' || chr(10), false, null, null, timestamp '{at}', '', null, '{load}'
"""
OTHERS = (
    "create schema marts",
    "create table marts.dim_dates as select date '2022-01-01' as date_day",
    "create table marts.audit_things__row_counts as"
    " select 'big' as entity, 'a.csv' as source_file, 2 as rows_read, 0 as rows_quarantined",
)


def build(settings: Settings, at: str, load: str, *changes: str) -> Settings:
    write_manifest(settings, meta={})
    with connect(settings, "things") as warehouse:
        for sql in (*OTHERS, FACT.format(at=at, load=load), *changes):
            warehouse.execute(sql)
    publish("things", settings, accept=True)
    return settings


@pytest.fixture
def file(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings of the target duckdb."""
    with monkeypatch.context() as other:
        other.setenv("SLUICE_TARGET", "duckdb")
        other.setenv("SLUICE_DATA_DIR", str(tmp_path / "file"))
        return project_settings.load()


def test_differences_are_named_with_key_and_both_values(settings: Settings, file: Settings) -> None:
    build(file, "2022-02-01", "1.1")
    build(settings, "2022-03-01", "2.2")
    same = compare_published("things", file, settings)
    assert same.is_equal, same.markdown()
    assert [table.rows for table in same.tables] == [(1, 1), (1, 1), (2, 2)]

    with connect(settings, "things") as warehouse:
        for sql in (
            "update marts.fct_things set note = 'b', nothing = '' where id = 1",
            "alter table marts.fct_things alter day type timestamp",
            "insert into marts.dim_dates values (date '2022-01-02')",
            "drop table marts.audit_things__row_counts",
            OTHERS[2].replace("2 as rows_read", "cast(2 as numeric(9, 1)) as rows_read"),
        ):
            warehouse.execute(sql)
    publish("things", settings, accept=True)
    found = compare_published("things", file, settings)
    by_name = {table.table: table for table in found.tables}
    assert not found.is_equal
    assert by_name["fct_things"].columns == ("`day` was date and is timestamp",)
    assert by_name["audit_things__row_counts"].columns == (
        "`rows_read` was integer and is decimal of scale 1",
    )
    assert by_name["dim_dates"].rows == (1, 2)
    shown = found.markdown()
    assert "'b'" not in shown
    assert "Rows: 1 duckdb, 2 postgres." in shown
    differing = {each.what: each.rows for each in by_name["fct_things"].changed}
    # Whole rows are compared without a key.
    assert differing == {"rows removed": 1, "rows added": 1}


def test_a_comparison_calls_no_paid_model_and_notifies_nobody(
    data_dir: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    monkeypatch.setenv("SLUICE_OPENAI_API_KEY", "a-key")
    monkeypatch.setenv("SLUICE_OPENAI_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SLUICE_NOTIFY_WEBHOOK_URL", "http://127.0.0.1:1/hook")
    found = []

    def run(command: list[str], env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        found.append(env)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr("quality.engine_diff.subprocess.run", run)
    engine_diff._build("news", project_settings.load())
    (env,) = found
    assert env["SLUICE_ENRICH_PROVIDER"] == "local"
    assert [name for name in env if name.startswith("SLUICE_NOTIFY_WEBHOOK")] == []


def test_sizes_of_numbers_do_not_differ() -> None:
    assert type_family("INTEGER") == type_family("BIGINT") == type_family("DECIMAL(18,0)") == "integer"
    assert type_family("DECIMAL(9,2)") == type_family("DECIMAL(38,2)") != type_family("DECIMAL(9,3)")
    assert type_family("FLOAT") == type_family("DOUBLE")
    assert type_family("DATE") != type_family("TIMESTAMP")


@pytest.mark.parametrize("targets", ["duckdb", "duckdb,duckdb", "duckdb,postgres,duckdb"])
def test_only_different_targets_can_be_compared(
    data_dir: Settings, targets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare-targets", "--targets", targets, "--domains", "ecommerce"]) == 2
    assert "or more different targets" in capsys.readouterr().err
