"""The gate stops a publication that loses rows or columns, or that cannot be read back."""

import json
import os
from typing import Any

import duckdb
import pytest

from cli.main import main
from publishing import candidate
from publishing.errors import PublishError, PublishStoppedError
from publishing.manage import versions
from publishing.publish import publish
from settings import Settings
from tests.publishing.months import ROWS, SUMS
from tests.publishing.things import MONTHLY, execute, names, query, write_manifest


def test_losing_half_of_the_rows_stops_until_forced(
    months: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = publish("things", months).path
    before, kept = path.read_bytes(), names(months)
    execute(months, f"delete from marts.fct_things where id % {ROWS} >= {ROWS // 2}")
    assert main(["publish", "things"]) == 2
    error = capsys.readouterr().err
    assert (
        "2 differences between things and the published version exceed their limits: fct_things rows" in error
    )
    assert "| fct_things | rows            |      60,000 | 30,000 |   -50.0% |   10.0% | stops |" in error
    assert "| fct_things | total of amount |      60,000 | 30,000 |   -50.0% |   10.0% | stops |" in error
    assert "sluice publish things --force-publish" in error
    assert path.read_bytes() == before
    assert names(months) == kept
    (report,) = [each for each in months.reports("things").glob("*.md") if "50.0%" in each.read_text()]
    assert json.loads(report.with_suffix(".json").read_text())["rows"]["fct_things"] == [60_000, 30_000]

    assert main(["publish", "things", "--force-publish"]) == 0
    assert "accepted: fct_things rows 60,000 30,000 -50.0% 10.0% stops" in capsys.readouterr().out
    assert query(path, SUMS)[0][0] == 30_000
    listed = versions("things", months)
    assert [len(each.facts["accepted"]) for each in listed.versions] == [0, 2]
    assert "limits exceeded, accepted by " in str(listed)


def test_removed_and_retyped_columns_stop_and_added_ones_are_reported(months: Settings) -> None:
    path = publish("things", months).path
    before = path.read_bytes()
    execute(months, "alter table marts.fct_things rename amount to price")
    with pytest.raises(PublishStoppedError, match="fct_things column of amount"):
        publish("things", months)
    execute(
        months,
        "alter table marts.fct_things rename price to amount",
        "alter table marts.fct_things alter id type varchar",
    )
    with pytest.raises(PublishStoppedError, match="column of id +| BIGINT +| VARCHAR"):
        publish("things", months)
    assert path.read_bytes() == before
    execute(
        months,
        "alter table marts.fct_things alter id type bigint",
        "alter table marts.fct_things add column more int",
    )
    compared = publish("things", months).comparison
    assert [(each.what, each.column, each.after) for each in compared.differences] == [
        ("column", "more", "INTEGER")
    ]
    assert query(path, "select max(more) from marts.fct_things") == [(None,)]
    write_manifest(months, contract={"enforced": False}, **MONTHLY)
    publish("things", months)
    execute(months, "alter table marts.fct_things drop column more")
    assert [each.stops for each in publish("things", months).comparison.differences] == [False]


@pytest.mark.parametrize(
    ("change", "stopped_by"),
    [
        ("update marts.fct_things set words = null where id % 10 = 0", "nulls of words"),
        ("update marts.fct_things set amount = 0.8", "total of amount"),
        ("update marts.fct_things set amount = -1", "total of amount"),
        ("delete from marts.fct_things", "rows"),
        (
            "update marts.fct_things set month = date '2022-02-01' where month > date '2022-02-01'",
            "newest of month",
        ),
        (
            "drop table marts.dim_dates; create table marts.dim_dates as select 1 as date_day",
            "column of date_day",
        ),
    ],
)
def test_a_difference_beyond_its_limit_stops_the_publication(
    months: Settings, change: str, stopped_by: str
) -> None:
    publish("things", months)
    execute(months, change)
    with pytest.raises(PublishStoppedError, match=stopped_by):
        publish("things", months)


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ("update marts.fct_things set words = null where id % 100 = 0", [("nulls", "words")]),
        ("update marts.fct_things set amount = 1000", [("total", "amount")]),
        ("delete from marts.fct_things where id % 20 = 0", [("rows", None), ("total", "amount")]),
        # A column named like a key has no total: the rows differ, and no number does.
        ("update marts.fct_things set id = 0", []),
    ],
)
def test_a_difference_within_its_limit_is_published_and_reported(
    months: Settings, change: str, differences: list[tuple[str, str | None]]
) -> None:
    publish("things", months)
    execute(months, change)
    compared = publish("things", months).comparison
    assert [(each.what, each.column) for each in compared.differences] == differences
    assert "fct_things" not in compared.unchanged
    assert not compared.stopping


def test_a_column_excluded_from_totals_does_not_stop(months: Settings) -> None:
    publish("things", months)
    execute(months, "update marts.fct_things set amount = -1")
    with pytest.raises(PublishStoppedError, match="total of amount"):
        publish("things", months)
    write_manifest(months, columns={"amount": {"config": {"meta": {"exclude_from_totals": True}}}}, **MONTHLY)
    os.utime(months.manifest, (4e9, 4e9))
    assert publish("things", months).accepted == ()


def test_fewer_rows_of_a_mart_with_allow_decrease_do_not_stop(months: Settings) -> None:
    write_manifest(months, meta={"allow_decrease": True}, **MONTHLY)
    os.utime(months.manifest, (4e9, 4e9))
    publish("things", months)
    execute(months, "delete from marts.audit_things__row_counts where source_file = 'a.csv'")
    assert publish("things", months).accepted == ()


def test_an_infinite_limit_is_null_in_json(months: Settings) -> None:
    publish("things", months)
    execute(months, "insert into marts.fct_things select id + 1000000, * exclude (id) from marts.fct_things")
    publication = publish("things", months)
    assert [each.limit for each in publication.comparison.differences if each.what == "rows"] == [None]
    # Airflow keeps the result of a task as JSON.
    assert json.dumps(publication.to_dict(), allow_nan=False)


def test_a_first_publication_has_nothing_to_compare_with(months: Settings) -> None:
    publication = publish("things", months)
    assert publication.comparison.before is None
    assert publication.comparison.differences == ()
    (report,) = months.reports("things").glob("diff_*.md")
    assert "Nothing was published before" in report.read_text()


def test_a_candidate_with_wrong_rows_is_not_published(
    months: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("things", months)
    before = months.published("things").read_bytes()
    execute(months, "update marts.fct_things set words = 'x' where month = date '2022-03-01'")
    original = candidate._write_table

    def wrong(warehouse: duckdb.DuckDBPyConnection, table: Any, *more: Any) -> Any:
        written = original(warehouse, table, *more)
        if table.mart.name == "fct_things":
            warehouse.execute(
                f"update {candidate.NAME}.marts.fct_things set words = 'y' where id = {3 * ROWS - 1}"
            )
        return written

    monkeypatch.setattr(candidate, "_write_table", wrong)
    with pytest.raises(PublishError, match="does not hold the rows of the warehouse"):
        publish("things", months)
    assert months.published("things").read_bytes() == before
