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
        "fewer columns than the header",
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
    "header_alone.csv": (f"{HEADER}\n".encode(), "a header and no rows"),
    "unknown.csv": (b"id;name\n1;x\n", "none of the known columns"),
    "missing.csv": (
        f"{HEADER.replace('borough', 'district')}\n{crash(1)}\n".encode(),
        "columns are missing: borough",
    ),
    "twice.csv": (f"{HEADER},borough\n{crash(1)},x\n".encode(), "columns occur twice: borough"),
    "nameless.csv": (f"{HEADER},\n{crash(1)},x\n".encode(), "column 30 of the header has no name"),
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
    path.write_text(HEADER)
    with pytest.raises(FilesFailedError, match="no rows"):
        load_domain("collisions")
    assert (query(CONTENT), query("from raw_collisions.rejected_lines")) == before
    deliver("a.csv", crash(3))
    assert statuses() == {"a.csv": "replaced"}
    assert query("select collision_id from raw_collisions.crashes") == [("3",)]


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
