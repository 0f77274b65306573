"""What a publication reads and writes: the months that differ, and no garbage."""

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publishing import candidate
from publishing import publish as publishing
from publishing import versions as keeping
from publishing.publish import publish
from publishing.versions import Versions
from settings import Settings
from tests.publishing.months import build_larger
from tests.publishing.things import execute


def test_only_what_differs_is_written(months: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    build_larger(months)
    first = publish("things", months)
    execute(months, "update marts.fct_things set words = 'x' where month = date '2022-03-01'")
    second = publish("things", months)
    assert set(second.comparison.unchanged) == {"audit_things__row_counts", "dim_dates"}
    kept = Versions("things", months)
    old, new = (blocks(kept.file(each.version)) for each in (first, second))
    assert len(old) > 40
    same = sum(one == other for one, other in zip(old, new, strict=False))
    # One month of twelve, and DuckDB's own.
    assert same > 0.8 * len(old)
    # The checksum is that of the rows, wherever they lie.
    assert tables_of(months, second.version) == tables_of_scratch(months, monkeypatch)


def blocks(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[at : at + keeping.BLOCK] for at in range(keeping.HEADERS, len(content), keeping.BLOCK)]


def tables_of(settings: Settings, version: str) -> dict[str, tuple[int, str]]:
    found = Versions("things", settings).get(version).tables
    return {name: (profile.rows, profile.checksum) for name, profile in found.items()}


def tables_of_scratch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str]]:
    """What a publication would note that has nothing to begin with."""
    settings.published("things").rename(settings.data_dir / "aside.duckdb")
    found = tables_of(settings, publish("things", settings).version)
    settings.published("things").unlink()
    (settings.data_dir / "aside.duckdb").rename(settings.published("things"))
    return found


def test_only_the_months_that_were_written_are_read(
    months: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(months_written: str, run: int) -> list[str]:
        """What dbt does: the month's rows go, and come with the time of the run."""
        where = f"where strftime(month, '%Y-%m') in ({months_written})"
        return [
            f"create or replace temp table written as select * replace ({run}::text as words) from marts.fct_things {where}",
            f"delete from marts.fct_things {where}",
            f"insert into marts.fct_things select * replace (timestamp '2024-01-01' + to_days({run}) as _built_at) from written",
        ]

    execute(
        months, "alter table marts.fct_things add column _built_at timestamp default timestamp '2024-01-01'"
    )
    read: list[list[str]] = []
    measure = publishing.measure

    def noted(connection: duckdb.DuckDBPyConnection, table: Any, keys: Any = None) -> Any:
        if table.mart.name == "fct_things":
            read.append([str(key)[:7] for key in keys])
        return measure(connection, table, keys)

    monkeypatch.setattr(publishing, "measure", noted)
    publish("things", months)
    for changes in (
        write("'2022-03'", 1),
        ["delete from marts.fct_things where id % 7 = 0 and month = date '2022-02-01'"],
        write("'2022-03', '2022-01'", 2),
        ["delete from marts.fct_things where month = date '2022-02-01'"],
        ["checkpoint"],
    ):
        execute(months, *changes)
        version = publish("things", months, accept=True).version
        wanted = tables_of(months, version)
        with monkeypatch.context() as scratch:
            scratch.setattr(publishing, "measure", measure)
            assert wanted == tables_of_scratch(months, monkeypatch)
    first, *later = read
    assert first == ["2022-01", "2022-02", "2022-03"]
    assert later == [["2022-03"], ["2022-02"], ["2022-01", "2022-03"], [], []]


def test_a_month_written_with_the_same_rows_is_the_same(months: Settings) -> None:
    execute(
        months, "alter table marts.fct_things add column _built_at timestamp default timestamp '2024-01-01'"
    )
    first = tables_of(months, publish("things", months).version)
    execute(
        months,
        "update marts.fct_things set _built_at = timestamp '2024-02-01' where month = date '2022-02-01'",
    )
    assert tables_of(months, publish("things", months).version) == first


def test_garbage_in_the_file_is_bounded(months: Settings) -> None:
    build_larger(months)
    path = publish("things", months).path
    size = path.stat().st_size
    for number in range(6):
        execute(months, f"update marts.fct_things set words = md5((id * {number + 2})::text)")
        publish("things", months)
        assert path.stat().st_size < 2.5 * size
    execute(months, "delete from marts.fct_things where month > date '2022-03-01'")
    publish("things", months, accept=True)
    assert path.stat().st_size < size / 2


def test_a_copy_is_whole_wherever_the_kernel_can_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(content)
    candidate.copy(tmp_path / "a", tmp_path / "b")

    def refuse(*_: Any) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    candidate.copy(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes() == content
