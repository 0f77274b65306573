"""A publication reads and writes the months that differ, in a file of a bounded size and a named format."""

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publishing import candidate, table_stats
from publishing.file_store import FileStore
from publishing.publish import publish
from settings import Settings
from tests.publishing.months import build_larger
from tests.publishing.things import execute, query

# DuckDB writes blocks of this size behind its headers.
BLOCK, HEADERS = 262_144, 3 * 4096


def test_only_months_that_differ_are_written(months: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    build_larger(months)
    first = publish("things", months)
    execute(months, "update marts.fct_things set words = 'x' where month = date '2022-03-01'")
    second = publish("things", months)
    assert set(second.comparison.unchanged) == {"audit_things__row_counts", "dim_dates"}
    kept = FileStore("things", months)
    old, new = (blocks(kept.file(each.version)) for each in (first, second))
    assert len(old) > 40
    same = sum(one == other for one, other in zip(old, new, strict=False))
    # One month of twelve, and DuckDB's metadata.
    assert same > 0.8 * len(old)
    # The checksum depends on the rows, not on where they are stored.
    assert tables_of(months, second.version) == tables_of_scratch(months, monkeypatch)


def blocks(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[at : at + BLOCK] for at in range(HEADERS, len(content), BLOCK)]


def tables_of(settings: Settings, version: str) -> dict[str, tuple[int, str]]:
    found = FileStore("things", settings).get(version).tables
    return {name: (profile.rows, profile.checksum) for name, profile in found.items()}


def tables_of_scratch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str]]:
    """Return the statistics of a publication that starts from nothing."""
    settings.published("things").rename(settings.data_dir / "aside.duckdb")
    found = tables_of(settings, publish("things", settings).version)
    settings.published("things").unlink()
    (settings.data_dir / "aside.duckdb").rename(settings.published("things"))
    return found


def test_only_months_that_were_written_are_read(months: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(months_written: str, run: int) -> list[str]:
        """Return statements that rebuild months as dbt does, with the time of the run."""
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
    read_partitions = table_stats.read_partitions

    def noted(connection: duckdb.DuckDBPyConnection, table: Any, keys: Any = None) -> Any:
        # What was written is read back from the candidate.
        if table.mart.name == "fct_things" and candidate.NAME not in table.relation:
            read.append([str(key)[:7] for key in keys])
        return read_partitions(connection, table, keys)

    monkeypatch.setattr(table_stats, "read_partitions", noted)
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
            scratch.setattr(table_stats, "read_partitions", read_partitions)
            assert wanted == tables_of_scratch(months, monkeypatch)
    first, *later = read
    assert first == ["2022-01", "2022-02", "2022-03"]
    assert later == [["2022-03"], ["2022-02"], ["2022-01", "2022-03"], [], []]


def test_a_month_rebuilt_with_the_same_rows_is_unchanged(months: Settings) -> None:
    execute(
        months, "alter table marts.fct_things add column _built_at timestamp default timestamp '2024-01-01'"
    )
    first = tables_of(months, publish("things", months).version)
    execute(
        months,
        "update marts.fct_things set _built_at = timestamp '2024-02-01' where month = date '2022-02-01'",
    )
    assert tables_of(months, publish("things", months).version) == first


def test_table_that_was_not_built_again_is_not_read(
    months: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        months, "alter table marts.dim_dates add column _built_at timestamp default timestamp '2024-01-01'"
    )
    read: list[Any] = []
    read_partitions = table_stats.read_partitions

    def noted(connection: duckdb.DuckDBPyConnection, table: Any, keys: Any = None) -> Any:
        if table.mart.name == "dim_dates" and candidate.NAME not in table.relation:
            read.append(keys)
        return read_partitions(connection, table, keys)

    monkeypatch.setattr(table_stats, "read_partitions", noted)
    for change in (
        "checkpoint",
        "checkpoint",
        "update marts.dim_dates set date_day = date '2023-01-01', _built_at = timestamp '2024-01-02'",
        "insert into marts.dim_dates values (date '2024-01-01', timestamp '2024-01-02')",
    ):
        execute(months, change)
        publish("things", months)
    assert read == [[""], [], [""], [""]]
    assert query(months.published("things"), "select count(*) from marts.dim_dates") == [(2,)]


def test_replaced_month_leaves_the_blocks_of_the_others(months: Settings) -> None:
    # Two row groups for each month, of which DuckDB would merge the smaller ones with their neighbours.
    execute(
        months,
        "create or replace table marts.fct_things as"
        " select range as id, (date '2022-01-01' + to_months(month::integer))::date as month,"
        " hash(range * 12 + month) as amount from range(8) as months (month), range(125000) order by month",
    )

    def blocks_of_months() -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for month, block in query(
            months.published("things"),
            "select months.stats, amounts.block_id"
            " from pragma_storage_info('marts.fct_things') as months"
            " join pragma_storage_info('marts.fct_things') as amounts using (row_group_id)"
            " where months.column_name = 'month' and months.segment_type <> 'VALIDITY'"
            " and amounts.column_name = 'amount' and amounts.segment_type <> 'VALIDITY'",
        ):
            found.setdefault(month, set()).add(block)
        return found

    publish("things", months)
    before = blocks_of_months()
    assert len(before) == 8
    execute(months, "update marts.fct_things set amount = amount // 2 where month = date '2022-04-01'")
    publish("things", months, accept=True)
    after = blocks_of_months()
    assert [month[:16] for month in before if before[month] != after[month]] == ["[Min: 2022-04-01"]


def test_free_space_in_the_file_is_bounded(months: Settings) -> None:
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


def test_a_copy_is_whole_whether_the_kernel_copies_or_not(
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


def test_the_storage_version_of_published_files_is_named(months: Settings) -> None:
    path = publish("things", months).path
    with duckdb.connect(str(path), read_only=True) as published:
        assert candidate.storage_version(published) == candidate.STORAGE_VERSION
    with duckdb.connect(str(months.warehouse), read_only=True) as warehouse:
        assert candidate.storage_version(warehouse) != candidate.STORAGE_VERSION


def test_another_storage_version_makes_a_whole_new_file(
    months: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish("things", months).path
    execute(months, "update marts.fct_things set words = 'x' where month = date '2022-03-01'")
    # Up, and down again, which DuckDB refuses for an existing file.
    for version in ("v1.2.0", candidate.STORAGE_VERSION):
        with monkeypatch.context() as other:
            other.setattr(candidate, "STORAGE_VERSION", version)
            publication = publish("things", months)
        with duckdb.connect(str(path), read_only=True) as published:
            assert candidate.storage_version(published) == version
        assert FileStore("things", months).get(publication.version).facts["storage_version"] == version
    assert len(publication.comparison.unchanged) == 3
