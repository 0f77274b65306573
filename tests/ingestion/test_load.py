"""Loading a landing folder: what lands, what is skipped, what replaces, what fails."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from cli.main import main
from ingestion.load import load_domain
from ingestion.registry import UnknownDomainError
from ingestion.results import FilesFailedError
from ingestion.sources.collisions import CRASHES
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, crash

CONTENT = (
    f"select {', '.join(CRASHES.columns)}, _source_file, _source_row, _row_id from raw_collisions.crashes"
)


def statuses(domain: str = "collisions") -> dict[str, str]:
    return {file.name: file.status for file in load_domain(domain).results}


def test_the_real_files_of_both_headers_load(settings: Settings, shared_data: Path, query: Query) -> None:
    shutil.copytree(shared_data / "collisions", settings.landing("collisions"))
    totals = load_domain("collisions").to_dict()
    assert (totals["rows_read"], totals["rows_loaded"], totals["rows_rejected"]) == (3263, 3262, 1)
    assert query("select _source_file, count(*) from raw_collisions.crashes group by 1 order by 1") == [
        ("crashes_official_header_2022.csv", 239),
        ("crashes_renamed_header.csv", 3023),
    ]
    ((file, line_number, reason, line),) = query(
        "select source_file, line_number, reason, line from raw_collisions.rejected_lines"
    )
    assert (file, line_number, reason) == (
        "crashes_renamed_header.csv",
        3025,
        "fewer columns than the header: 12 values for 29 columns",
    )
    assert line.startswith("08/04/2016,13:10,BROOKLYN")
    assert query("select count(distinct _row_id), max(_source_row) from raw_collisions.crashes") == [
        (3262, 3023)
    ]
    # Names of the second header came to the first one's.
    assert query(
        "select count(number_of_cyclist_injured), count(vehicle_type_code_1) from raw_collisions.crashes"
    ) == [(3262, query("select count(*) from raw_collisions.crashes where vehicle_type_code_1 <> ''")[0][0])]


def test_the_same_content_again_changes_nothing(deliver: Deliver, query: Query) -> None:
    deliver("a.csv", crash(1), crash(2), "cut,off")
    assert statuses() == {"a.csv": "loaded"}
    tables = ["crashes", "rejected_lines", "file_loads", "_dlt_loads"]
    before = [query(f"from raw_collisions.{table} order by all") for table in tables]
    assert statuses() == {"a.csv": "skipped"}
    assert [query(f"from raw_collisions.{table} order by all") for table in tables] == before


def test_changed_content_replaces_its_own_rows_only(deliver: Deliver, query: Query) -> None:
    deliver("a.csv", crash(1), crash(2), "cut,off")
    deliver("b.csv", crash(3))
    load_domain("collisions")
    b_before = query(f"{CONTENT} where _source_file = 'b.csv'")
    deliver("a.csv", crash(1, borough="QUEENS"))
    assert statuses() == {"a.csv": "replaced", "b.csv": "skipped"}
    assert query("select collision_id, borough from raw_collisions.crashes where _source_file = 'a.csv'") == [
        ("1", "QUEENS")
    ]
    assert query(f"{CONTENT} where _source_file = 'b.csv'") == b_before
    assert query("from raw_collisions.rejected_lines") == []
    assert query(
        "select source_file, status, rows_read, rows_loaded, rows_rejected "
        "from raw_collisions.file_loads order by all"
    ) == [("a.csv", "loaded", 1, 1, 0), ("a.csv", "replaced", 3, 2, 1), ("b.csv", "loaded", 1, 1, 0)]


def test_an_older_content_can_come_back(deliver: Deliver, query: Query) -> None:
    deliver("a.csv", crash(1))
    load_domain("collisions")
    first = query(CONTENT)
    deliver("a.csv", crash(2))
    load_domain("collisions")
    deliver("a.csv", crash(1))
    assert statuses() == {"a.csv": "replaced"}
    assert query(CONTENT) == first
    assert query("select status, count(*) from raw_collisions.file_loads group by 1 order by 1") == [
        ("loaded", 1),
        ("replaced", 1),
    ]


def test_plain_and_gzip_of_one_name_are_two_files(deliver: Deliver, query: Query) -> None:
    plain = deliver("a.csv", crash(1))
    other = plain.read_text().replace("19:20", "19:21")
    plain.with_name("a.csv.gz").write_bytes(gzip.compress(other.encode()))
    assert statuses() == {"a.csv": "loaded", "a.csv.gz": "loaded"}
    assert query("select count(*), count(distinct _row_id) from raw_collisions.crashes") == [(2, 2)]


def test_extra_columns_are_kept_and_reported(deliver: Deliver, query: Query) -> None:
    deliver("a.csv", crash(1))
    deliver("b.csv", f"{crash(2)},rain", header=f"{','.join(CRASHES.columns)},WEATHER AT CRASH")
    summary = load_domain("collisions")
    assert [file.extra_columns for file in summary.results] == [(), ("weather_at_crash",)]
    assert query("select collision_id, weather_at_crash from raw_collisions.crashes order by 1") == [
        ("1", None),
        ("2", "rain"),
    ]
    assert query("select extra_columns from raw_collisions.file_loads order by source_file") == [
        (None,),
        ("weather_at_crash",),
    ]


def test_extra_columns_may_have_any_name(deliver: Deliver, query: Query) -> None:
    names = ("数量", "備考", "Склад", "Größe", "_id", "_failed_rules", "_dlt_load_id", "%", "row_status")
    columns = (
        "shu_liang_5e29d1",
        "bei_kao_80309c",
        "sklad_fd207f",
        "grosse",
        "delivered_id",
        "delivered_failed_rules",
        "delivered_dlt_load_id",
        "column_bbf3f1",
        "row_status",
    )
    values = tuple(f"v{number}" for number, _ in enumerate(names))
    deliver(
        "a.csv", f"{crash(1)},{','.join(values)}", header=f"{','.join(CRASHES.columns)},{','.join(names)}"
    )
    (result,) = load_domain("collisions").results
    assert result.extra_columns == columns
    assert query(f"select {', '.join(columns)} from raw_collisions.crashes") == [values]


def test_columns_are_matched_by_name(deliver: Deliver, query: Query) -> None:
    turned = list(reversed(CRASHES.columns))
    line = ",".join(reversed(crash(7, borough="BRONX").split(",")))
    deliver("a.csv", line, header=",".join(name.upper().replace("_", " ") for name in turned))
    load_domain("collisions")
    assert query("select collision_id, borough from raw_collisions.crashes") == [("7", "BRONX")]


HEADER = ",".join(CRASHES.columns)
WHOLE = gzip.compress(f"{HEADER}\n{crash(9)}\n".encode() * 500)
BAD_FILES = {
    "empty.csv": (b"", "the file is empty"),
    "header_of_words.csv": (b"notes\ncall Ann\n", "none of the known columns"),
    "unknown.csv": (b"id;name\n1;x\n", "none of the known columns"),
    "missing.csv": (
        f"{HEADER.replace('borough', 'district')}\n{crash(1)}\n".encode(),
        "columns are missing: borough",
    ),
    "twice.csv": (
        f"{HEADER},borough\n{crash(1)},x\n".encode(),
        "columns 'borough' and 'borough' are both read as borough",
    ),
    "nameless.csv": (f"{HEADER},\n{crash(1)},x\n".encode(), "column 30 of the header has no name; aliases="),
    "cut.csv.gz": (WHOLE[: len(WHOLE) // 2], "the gzip is truncated"),
    "not_gzip.csv.gz": (f"{HEADER}\n{crash(1)}\n".encode(), "the gzip is damaged"),
    "nothing_fits.csv": (f"{HEADER}\n1,2\n3,4\n".encode(), "none of its lines can be split; line 2"),
}


def test_bad_files_fail_with_a_reason_and_the_others_load(
    settings: Settings, deliver: Deliver, query: Query, capsys: pytest.CaptureFixture[str]
) -> None:
    landing = deliver("good.csv", crash(1)).parent
    for name, (content, _) in BAD_FILES.items():
        (landing / name).write_bytes(content)
    (landing / "folder.csv").mkdir()
    (landing / "gone.csv").symlink_to(landing / "nowhere")
    reasons = {name: reason for name, (_, reason) in BAD_FILES.items()}
    reasons |= {"folder.csv": "it is a folder", "gone.csv": "it is a link and not a file"}

    assert main(["load", "collisions", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    failed = {file["name"]: file["reason"] for file in report["results"] if file["status"] == "failed"}
    assert failed.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert reason in failed[name]
    assert (report["rows_read"], report["rows_loaded"], report["rows_rejected"]) == (1, 1, 0)
    assert query("select collision_id from raw_collisions.crashes") == [("1",)]
    recorded = dict(
        query("select source_file, reason from raw_collisions.file_loads where status = 'failed'")
    )
    assert recorded == failed

    before = query("from raw_collisions.file_loads order by all")
    with pytest.raises(FilesFailedError, match=r"missing\.csv: columns are missing: borough"):
        load_domain("collisions")
    assert query("from raw_collisions.file_loads order by all") == before


def test_a_broken_redelivery_leaves_the_loaded_rows(deliver: Deliver, query: Query) -> None:
    path = deliver("a.csv", crash(1), crash(2), "cut,off")
    load_domain("collisions")
    before = query(CONTENT), query("from raw_collisions.rejected_lines")
    path.write_text(f"{HEADER}\nnothing,fits\n")
    with pytest.raises(FilesFailedError, match="none of its lines can be split"):
        load_domain("collisions")
    assert (query(CONTENT), query("from raw_collisions.rejected_lines")) == before
    deliver("a.csv", crash(3))
    assert statuses() == {"a.csv": "replaced"}
    assert query("select collision_id from raw_collisions.crashes") == [("3",)]


def test_a_file_with_a_header_alone_is_a_delivery_without_rows(deliver: Deliver, query: Query) -> None:
    deliver("a.csv", crash(1), "cut,off")
    deliver("b.csv", crash(2))
    load_domain("collisions")
    deliver("a.csv")
    assert statuses() == {"a.csv": "replaced", "b.csv": "skipped"}
    assert query("select collision_id from raw_collisions.crashes") == [("2",)]
    assert query("from raw_collisions.rejected_lines") == []
    counts = "select rows_read, rows_loaded from raw_collisions.file_loads where status = 'loaded' order by source_file"
    assert query(counts) == [(0, 0), (1, 1)]
    assert statuses() == {"a.csv": "skipped", "b.csv": "skipped"}
    deliver("a.csv", crash(3))
    assert statuses() == {"a.csv": "replaced", "b.csv": "skipped"}
    assert query("select collision_id from raw_collisions.crashes order by 1") == [("2",), ("3",)]


def test_rows_without_any_value_are_no_records(deliver: Deliver, query: Query) -> None:
    blank = "," * (len(CRASHES.columns) - 1)
    deliver("a.csv", crash(1), blank, ",,", "", "  ", f'"" , {blank[:-1]}', crash(2))
    load_domain("collisions")
    assert query("select collision_id from raw_collisions.crashes order by 1") == [("1",), ("2",)]
    assert query("select rows_read, rows_rejected from raw_collisions.file_loads") == [(2, 0)]


def test_lines_beyond_the_limit_are_counted_and_not_kept(
    deliver: Deliver, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_MAX_REJECTED_LINES", "3")
    deliver("a.csv", crash(1), *(f"bad,{number}" for number in range(20)), 'x,"open', crash(2))
    load_domain("collisions")
    kept = query(
        "select line_number, line, line_count from raw_collisions.rejected_lines order by line_number"
    )
    assert kept == [(3, "bad,0", 1), (4, "bad,1", 1), (5, "bad,2", 1), (6, "", 18)]
    assert query("select rows_read, rows_rejected from raw_collisions.file_loads") == [(23, 21)]


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("SLUICE_MAX_COLUMNS", "20", "SLUICE_MAX_COLUMNS allows 20"),
        ("SLUICE_MAX_FILE_BYTES", "300", "it holds more than 300 bytes, the limit of SLUICE_MAX_FILE_BYTES"),
        ("SLUICE_MAX_LINE_BYTES", "40", "its header is longer than 40 bytes"),
    ],
)
def test_a_file_beyond_a_limit_fails_and_names_the_setting(
    variable: str, value: str, reason: str, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    deliver("a.csv", *(crash(number) for number in range(9)))
    with pytest.raises(FilesFailedError, match=reason):
        load_domain("collisions")


def test_a_gzip_that_unpacks_to_more_than_the_limit_fails_before_it_is_unpacked(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.formats.csv_lines.ALWAYS_BYTES", 0)
    monkeypatch.setattr("ingestion.formats.csv_lines.BLOCK_BYTES", 1000)
    monkeypatch.setenv("SLUICE_MAX_GZIP_RATIO", "50")
    path = deliver("a.csv")
    path.unlink()
    # Its end is missing: who unpacks all of it says so.
    packed = gzip.compress(f"{HEADER}\n".encode() + b"x\n" * 500_000)
    path.with_name("a.csv.gz").write_bytes(packed[:-20])
    with pytest.raises(FilesFailedError, match="the limit of SLUICE_MAX_GZIP_RATIO"):
        load_domain("collisions")


def test_nothing_in_landing_is_no_error_and_the_tables_exist(settings: Settings, query: Query) -> None:
    assert load_domain("collisions").to_dict()["results"] == []
    for table in ("crashes", "rejected_lines", "file_loads"):
        assert query(f"from raw_collisions.{table}") == []


def test_a_new_warehouse_beside_old_dlt_state_is_filled_again(
    settings: Settings, deliver: Deliver, query: Query
) -> None:
    deliver("a.csv", crash(1))
    load_domain("collisions")
    settings.warehouse.unlink()
    assert statuses() == {"a.csv": "loaded"}
    assert query("select count(*) from raw_collisions.crashes") == [(1,)]


def test_lost_dlt_state_beside_an_old_warehouse_changes_nothing(
    settings: Settings, deliver: Deliver, query: Query
) -> None:
    deliver("a.csv", crash(1))
    load_domain("collisions")
    shutil.rmtree(settings.dlt_dir)
    deliver("b.csv", crash(2))
    assert statuses() == {"a.csv": "skipped", "b.csv": "loaded"}
    assert query("select count(*) from raw_collisions.crashes") == [(2,)]


def test_an_unknown_domain_names_those_there_are() -> None:
    with pytest.raises(UnknownDomainError, match="there are: collisions"):
        load_domain("colisions")
