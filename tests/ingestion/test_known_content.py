"""The same content under several names counts once, for as long as one of the names has it."""

import gzip
from pathlib import Path

import pytest

from ingestion.load import load_domain
from ingestion.results import FilesFailedError
from ingestion.sources.taxi import TRIPS
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, crash

SALES = "date,store,product_id,quantity,price\n2024-05-01,North,P1,1,4.50\n2024-05-01,North,P1,1,4.50\n"
IDS = "select _source_file, collision_id from raw_collisions.crashes order by all"


def load(domain: str, **options) -> dict[str, str]:
    try:
        summary = load_domain(domain, **options)
    except FilesFailedError as error:
        summary = error.summary
    found = {result.name: result.reason or result.status for result in summary.results}
    # The time of the load differs.
    return {name: reason.partition(", loaded at")[0] for name, reason in found.items()}


def copy_of(name: str) -> str:
    return f"its content is that of {name}"


@pytest.fixture
def quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SLUICE_FILE_STABLE_SECONDS", "0")
    return settings


def test_copies_of_a_file_are_named_and_archived_and_count_once(quick: Settings, query: Query) -> None:
    landing = quick.landing("sales")
    landing.mkdir(parents=True)
    (landing / "a.csv").write_text(SALES)
    (landing / "a (1).csv").write_text(SALES)
    (landing / "b.csv.gz").write_bytes(gzip.compress(SALES.encode()))
    first = {"a (1).csv": "loaded", "a.csv": copy_of("a (1).csv"), "b.csv.gz": copy_of("a (1).csv")}
    assert load("sales", entities=["sales"]) == first
    # Packed again: other bytes, the same content.
    (landing / "c.csv.gz").write_bytes(gzip.compress(SALES.encode(), mtime=1))
    (landing / "a.csv").write_text(SALES)
    again = {"a.csv": copy_of("a (1).csv"), "c.csv.gz": copy_of("a (1).csv")}
    assert load("sales", entities=["sales"]) == again
    # Two equal lines of one file are two sales.
    assert query("select _source_file, count(*) from raw_sales.sales group by 1") == [("a (1).csv", 2)]
    records = query("select source_file, status, rows_read, reason from raw_sales.file_loads order by all")
    assert [record[:3] for record in records] == [
        ("a (1).csv", "loaded", 2),
        ("a.csv", "skipped", 0),
        ("b.csv.gz", "skipped", 0),
        ("c.csv.gz", "skipped", 0),
    ]
    assert all(reason.endswith("UTC; nothing changes") for *_, reason in records[1:])
    archived = sorted(path.name for path in quick.archive("sales").glob("*/*"))
    assert archived == ["a (1).csv", "a.csv", "b.csv.gz", "c.csv.gz"]
    assert not list(landing.iterdir())


def test_a_copy_is_loaded_once_the_other_file_has_new_content(deliver: Deliver, query: Query) -> None:
    deliver("a.csv", crash(1))
    deliver("b.csv", crash(1))
    assert load("collisions") == {"a.csv": "loaded", "b.csv": copy_of("a.csv")}
    deliver("a.csv", crash(2))
    assert load("collisions") == {"a.csv": "replaced", "b.csv": "loaded"}
    assert query(IDS) == [("a.csv", "2"), ("b.csv", "1")]
    # The other way round: the copy comes first by its name.
    deliver("a.csv", crash(1))
    deliver("b.csv", crash(3))
    assert load("collisions") == {"a.csv": "replaced", "b.csv": "replaced"}
    assert query(IDS) == [("a.csv", "1"), ("b.csv", "3")]
    # Both exchange their contents.
    deliver("a.csv", crash(3))
    deliver("b.csv", crash(1))
    assert load("collisions") == {"a.csv": "replaced", "b.csv": "replaced"}
    assert query(IDS) == [("a.csv", "3"), ("b.csv", "1")]
    # A file becomes a copy of another: its own earlier rows leave.
    deliver("b.csv", crash(3))
    assert load("collisions") == {"a.csv": "skipped", "b.csv": copy_of("a.csv")}
    assert query(IDS) == [("a.csv", "3")]
    # An older content comes back under its name.
    deliver("b.csv", crash(1))
    assert load("collisions") == {"a.csv": "skipped", "b.csv": "loaded"}
    assert query(IDS) == [("a.csv", "3"), ("b.csv", "1")]
    statuses = query(
        "select source_file, count(*) from raw_collisions.file_loads where status = 'loaded' group by 1"
    )
    assert dict(statuses) == {"a.csv": 1, "b.csv": 1}


def test_a_copy_of_a_file_whose_new_content_failed_is_still_a_copy(deliver: Deliver, query: Query) -> None:
    deliver("b.csv", crash(1))
    load("collisions")
    deliver("b.csv", "1", header="one")
    load("collisions")
    deliver("a.csv", crash(1))
    assert load("collisions")["a.csv"] == copy_of("b.csv")
    assert query(IDS) == [("b.csv", "1")]


def test_files_without_rows_are_no_copies_and_replace_rows(deliver: Deliver, query: Query) -> None:
    deliver("a.csv", crash(1))
    load("collisions")
    deliver("a.csv")
    deliver("b.csv")
    assert load("collisions") == {"a.csv": "replaced", "b.csv": "loaded"}
    assert query(IDS) == []


def trips(landing: Path, name: str, *trips: int) -> None:
    landing.mkdir(parents=True, exist_ok=True)
    lines = [",".join(str(trip) for _ in TRIPS.columns) for trip in trips]
    text = "".join(f"{line}\n" for line in (",".join(TRIPS.columns), *lines))
    data = text.encode()
    (landing / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)


def test_the_content_of_another_month_is_refused_and_a_packed_copy_is_no_second_file(
    settings: Settings, query: Query
) -> None:
    landing = settings.landing("taxi")
    for name, trip in {"2024-01.csv": 1, "2024-01.csv.gz": 1, "2024-02.csv": 1, "2024-03.csv": 3}.items():
        trips(landing, f"yellow_tripdata_{name}", trip)
    january = "yellow_tripdata_2024-01.csv"
    other = f"{copy_of(january)}, which is loaded for 2024-01; deliver the rows of 2024-02"
    assert load("taxi") == {
        january: "loaded",
        f"{january}.gz": copy_of(january),
        "yellow_tripdata_2024-02.csv": other,
        "yellow_tripdata_2024-03.csv": "loaded",
    }
    # The two months were confused: each comes under the other's name.
    (landing / f"{january}.gz").unlink()
    (landing / "yellow_tripdata_2024-02.csv").unlink()
    trips(landing, january, 3)
    trips(landing, "yellow_tripdata_2024-03.csv", 1)
    assert set(load("taxi").values()) == {"replaced"}
    rows = query("select _partition, vendor_id from raw_taxi.trips order by 1")
    assert rows == [("2024-01", "3"), ("2024-03", "1")]


def test_a_daily_file_under_one_name_is_named(quick: Settings, query: Query) -> None:
    landing = quick.landing("sales")
    landing.mkdir(parents=True)
    for content in (SALES, SALES.replace("4.50", "4.60"), SALES.replace("-01,", "-02,")):
        (landing / "sales.csv").write_text(content)
        summary = load_domain("sales", entities=["sales"])
    assert summary.results[0].replaced_days == "2 rows of 2024-05-01"
    assert "it replaces 2 rows of 2024-05-01 by rows of other days only" in str(summary)
    days = query("select status, rows_by_day from raw_sales.file_loads order by loaded_at")
    assert days == [
        ("replaced", '{"2024-05-01": 2}'),
        ("replaced", '{"2024-05-01": 2}'),
        ("loaded", '{"2024-05-02": 2}'),
    ]
