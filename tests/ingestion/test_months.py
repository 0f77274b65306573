"""Files that are months: whatever came for a month before is replaced, under any name and in any format."""

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import settings as project_settings
from cli.main import main
from ingestion.download import partition
from ingestion.download.download import DownloadError
from ingestion.download.partition import download_partition, months_to_load
from ingestion.load import load_domain
from ingestion.registry import UnknownPartitionError
from ingestion.results import FilesFailedError
from ingestion.sources.taxi import TRIPS
from settings import Settings
from tests.ingestion.conftest import Query
from tests.ingestion.download.file_server import Fault, serving
from tests.ingestion.download.helpers import BEFORE
from tests.kill_at import COPY, MERGE, run_to_death

COLUMNS = [*TRIPS.columns, *TRIPS.optional]
TRIP = {
    "vendor_id": "1",
    "pickup_datetime": "2024-01-15 03:36:12",
    "dropoff_datetime": "2024-01-15 03:42:19",
    "passenger_count": "1",
    "trip_distance": "1.5",
    "pickup_location_id": "230",
    "dropoff_location_id": "48",
    "total_amount": "9.75",
    "congestion_surcharge": "2.5",
}
LOADED = "select _partition, _source_file, count(*) from raw_taxi.trips group by all order by all"


@pytest.fixture
def landing(settings: Settings) -> Path:
    folder = settings.landing("taxi")
    folder.mkdir(parents=True)
    return folder


def csv(trips: int = 1, columns: list[str] = COLUMNS, header: list[str] | None = None) -> str:
    line = ",".join(TRIP.get(name, "") for name in columns)
    return "\n".join([",".join(header or columns), *[line] * trips]) + "\n"


def load(**options) -> dict[str, str]:
    """Load the domain; the status of each file, or why it failed."""
    try:
        summary = load_domain("taxi", **options)
    except FilesFailedError as error:
        summary = error.summary
    return {file.name: file.reason or file.status for file in summary.results}


def test_headers_that_drift_load(landing: Path, query: Query) -> None:
    official = {
        "vendor_id": "VendorID",
        "pickup_datetime": "tpep_pickup_datetime",
        "dropoff_datetime": "tpep_dropoff_datetime",
        "rate_code_id": "RatecodeID",
        "pickup_location_id": "PULocationID",
        "dropoff_location_id": "DOLocationID",
        "airport_fee": "Airport_fee",
    }
    headers = [official.get(name, name) for name in COLUMNS]
    older = [name for name in COLUMNS if name not in TRIPS.optional]
    deliveries = {
        "2024-01": csv(header=headers),
        "2024-02": csv(header=[name.upper() for name in headers]),
        "2024-03": csv(columns=COLUMNS[::-1]),
        "2024-04": csv(columns=older),
        "2024-05": csv(columns=["ehail_fee", *COLUMNS]),
    }
    for month, text in deliveries.items():
        (landing / f"yellow_tripdata_{month}.csv").write_text(text)
    assert set(load().values()) == {"loaded"}
    known = ", ".join(set(TRIP) - {*TRIPS.optional})
    assert query(f"select count(*), count(distinct ({known})) from raw_taxi.trips") == [(5, 1)]
    assert query("select _partition, congestion_surcharge from raw_taxi.trips order by all") == [
        (month, None if month == "2024-04" else "2.5") for month in deliveries
    ]
    assert query("select extra_columns from raw_taxi.file_loads where extra_columns is not null") == [
        ("ehail_fee",)
    ]


@pytest.mark.parametrize("missing", ["pickup_datetime", "total_amount"])
def test_a_missing_column_fails_the_file_and_is_named(landing: Path, query: Query, missing: str) -> None:
    (landing / "yellow_tripdata_2024-01.csv").write_text(csv(columns=[c for c in COLUMNS if c != missing]))
    (landing / "yellow_tripdata_2024-02.csv").write_text(csv())
    assert load() == {
        "yellow_tripdata_2024-01.csv": f"columns are missing: {missing}",
        "yellow_tripdata_2024-02.csv": "loaded",
    }


def test_a_month_is_replaced_under_any_name_and_in_any_format(landing: Path, query: Query) -> None:
    plain = landing / "yellow_tripdata_2024-01.csv"
    plain.write_text(csv(3) + "cut,off\n")
    (landing / "yellow_tripdata_2024-02.csv").write_text(csv(2))
    load()
    assert query(LOADED) == [("2024-01", plain.name, 3), ("2024-02", "yellow_tripdata_2024-02.csv", 2)]
    plain.unlink()
    write_parquet(landing / "yellow_tripdata_2024-01.parquet", [TRIP])
    assert load() == {
        "yellow_tripdata_2024-01.parquet": "replaced",
        "yellow_tripdata_2024-02.csv": "skipped",
    }
    assert query(LOADED) == [
        ("2024-01", "yellow_tripdata_2024-01.parquet", 1),
        ("2024-02", "yellow_tripdata_2024-02.csv", 2),
    ]
    assert query("select source_file, status from raw_taxi.file_loads order by all") == [
        ("yellow_tripdata_2024-01.csv", "replaced"),
        ("yellow_tripdata_2024-01.parquet", "loaded"),
        ("yellow_tripdata_2024-02.csv", "loaded"),
    ]
    assert query("select count(*) from raw_taxi.rejected_lines") == [(0,)]
    # And back, to the very content that was there first.
    (landing / "yellow_tripdata_2024-01.parquet").unlink()
    plain.write_text(csv(3) + "cut,off\n")
    assert load()[plain.name] == "replaced"
    assert query(LOADED)[0] == ("2024-01", plain.name, 3)
    assert query("select count(*) from raw_taxi.rejected_lines") == [(1,)]


def test_of_two_files_for_one_month_neither_is_loaded_and_what_was_stays(landing: Path, query: Query) -> None:
    (landing / "yellow_tripdata_2024-01.csv").write_text(csv(3))
    load()
    write_parquet(landing / "yellow_tripdata_2024-01.parquet", [TRIP])
    reason = "{} is for 2024-01 as well; keep the one that counts"
    assert load() == {
        "yellow_tripdata_2024-01.csv": reason.format("yellow_tripdata_2024-01.parquet"),
        "yellow_tripdata_2024-01.parquet": reason.format("yellow_tripdata_2024-01.csv"),
    }
    assert query(LOADED) == [("2024-01", "yellow_tripdata_2024-01.csv", 3)]
    files = "select source_file, status, rows_loaded from raw_taxi.file_loads order by all"
    assert query(files) == [
        ("yellow_tripdata_2024-01.csv", "loaded", 3),
        ("yellow_tripdata_2024-01.parquet", "failed", 0),
    ]


@pytest.mark.parametrize("name", ["yellow_tripdata_2024.csv", "yellow_tripdata_2024-13.csv"])
def test_a_name_without_a_month_is_refused(landing: Path, name: str) -> None:
    (landing / name).write_text(csv())
    assert load()[name].startswith("its name has no month written as 2024-05")


def test_only_the_months_asked_for_are_loaded(landing: Path, query: Query, capsys) -> None:
    for trips, month in enumerate(("2024-01", "2024-02", "2024-03"), 1):
        (landing / f"yellow_tripdata_{month}.csv").write_text(csv(trips))
    (landing / "stray.csv").write_text("a\n")
    assert main(["load", "taxi", "--month", "2024-03", "--month", "2024-01"]) == 0
    assert [month for month, *_ in query(LOADED)] == ["2024-01", "2024-03"]
    assert main(["load", "taxi", "--month", "2024-02", "--month", "2024-04"]) == 1
    assert f"2024-04  no file for 2024-04 in {landing}" in capsys.readouterr().out
    assert main(["load", "taxi", "--month", "May"]) == 2
    assert "'May': not a month written as 2024-05" in capsys.readouterr().err
    with pytest.raises(UnknownPartitionError, match="is not partitioned by month"):
        load_domain("collisions", partitions=["2024-01"])


@pytest.mark.parametrize("point", [(COPY, "after", 1), (MERGE, "before", 1), (MERGE, "after", 1)], ids=str)
def test_a_month_whose_replacement_was_killed_is_whole_after_the_next_run(
    landing: Path, settings: Settings, query: Query, point: tuple[str, str, int]
) -> None:
    (landing / "yellow_tripdata_2024-01.csv").write_text(csv(3))
    load()
    (landing / "yellow_tripdata_2024-01.csv").unlink()
    write_parquet(landing / "yellow_tripdata_2024-01.parquet", [TRIP] * 2)
    run_to_death(point, settings, "cli", "load", "taxi")
    assert query(LOADED)[0][2] in (2, 3)
    load()
    assert query(LOADED) == [("2024-01", "yellow_tripdata_2024-01.parquet", 2)]
    loaded = "select source_file, rows_loaded from raw_taxi.file_loads where status = 'loaded'"
    assert query(loaded) == [("yellow_tripdata_2024-01.parquet", 2)]


def write_parquet(path: Path, trips: list[dict[str, str]], **types: pa.DataType) -> None:
    """Write trips with the types of the official files, or others."""
    official = {
        "vendor_id": pa.int32(),
        "passenger_count": pa.float64(),
        "trip_distance": pa.float64(),
        "total_amount": pa.float64(),
        "congestion_surcharge": pa.float64(),
        "pickup_location_id": pa.int64(),
        "dropoff_location_id": pa.int64(),
        "airport_fee": pa.null(),
    }
    arrays = {}
    for name in COLUMNS:
        texts = pa.array([trip.get(name) for trip in trips], pa.string())
        if name.endswith("_datetime"):
            times = [datetime.fromisoformat(trip[name]) for trip in trips]
            arrays[name] = pa.array(times, types.get(name, pa.timestamp("us")))
        else:
            kind = types.get(name) or official.get(name, pa.string())
            arrays[name] = pa.nulls(len(trips)) if pa.types.is_null(kind) else texts.cast(kind)
    pq.write_table(pa.table(arrays), path)


def test_types_that_differ_from_month_to_month_are_one_column_of_texts(landing: Path, query: Query) -> None:
    write_parquet(landing / "yellow_tripdata_2024-01.parquet", [TRIP])
    other = {"vendor_id": pa.int64(), "passenger_count": pa.int64(), "airport_fee": pa.float64()}
    times = {name: pa.timestamp("ns") for name in ("pickup_datetime", "dropoff_datetime")}
    write_parquet(landing / "yellow_tripdata_2024-02.parquet", [TRIP], **other, **times)
    assert set(load().values()) == {"loaded"}
    texts = "select vendor_id, passenger_count, pickup_datetime, trip_distance, airport_fee, _source_row from raw_taxi.trips"
    assert query(f"{texts} order by _partition") == [
        ("1", "1.0", "2024-01-15 03:36:12", "1.5", None, 1),
        ("1", "1", "2024-01-15 03:36:12", "1.5", None, 1),
    ]


def test_a_damaged_parquet_file_fails_with_a_reason(landing: Path) -> None:
    whole = landing / "yellow_tripdata_2024-01.parquet"
    write_parquet(whole, [TRIP] * 100)
    content = whole.read_bytes()
    (landing / "yellow_tripdata_2024-02.parquet").write_bytes(content[:-100])
    (landing / "yellow_tripdata_2024-03.parquet").write_bytes(b"")
    write_parquet(landing / "yellow_tripdata_2024-04.parquet", [])
    # The footer is whole, the pages before it are not.
    (landing / "yellow_tripdata_2024-05.parquet").write_bytes(content[:4] + bytes(300) + content[304:])
    statuses = load()
    assert statuses.pop(whole.name) == "loaded"
    assert statuses.pop("yellow_tripdata_2024-04.parquet") == "loaded"
    reasons = [statuses[name].split(":")[0] for name in sorted(statuses)]
    assert reasons == ["it is not a complete Parquet file"] * 3


def test_months_are_fetched_first_as_far_as_they_are_out(
    landing: Path, query: Query, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with serving() as server:
        url = server.put("yellow_tripdata_2024-01.csv", csv(2).encode())
        monkeypatch.setenv("SLUICE_DOWNLOAD_URL_TAXI", url.replace("2024-01", "{month}"))
        assert main(["load", "taxi", "--month", "2024-01", "--month", "2024-02", "--download"]) == 1
        printed = capsys.readouterr()
        assert "error: 2024-02: the month is not available yet: http://127.0.0.1" in printed.err
        assert "loaded    trips  yellow_tripdata_2024-01.csv  2 rows" in printed.out
        assert main(["load", "taxi", "--month", "2024-01", "--download"]) == 0
        assert "unchanged yellow_tripdata_2024-01.csv" in capsys.readouterr().err
        # A server that refuses what is not published yet.
        server.always, asked = Fault(status=403), len(server.requests)
        assert main(["load", "taxi", "--month", "2024-03", "--download"]) == 1
        assert "error: 2024-03: the month is not available yet: http" in capsys.readouterr().err
        assert len(server.requests) == asked + 1
        server.always = Fault()
        # What somebody delivered under another name stays what counts.
        write_parquet(landing / "yellow_tripdata_2024-02.parquet", [TRIP])
        server.put("yellow_tripdata_2024-02.csv", csv(2).encode())
        assert main(["load", "taxi", "--month", "2024-02", "--download"]) == 0
    assert query(LOADED) == [
        ("2024-01", "yellow_tripdata_2024-01.csv", 2),
        ("2024-02", "yellow_tripdata_2024-02.parquet", 1),
    ]


def test_without_a_source_what_is_in_landing_is_taken(landing: Path, query: Query, capsys) -> None:
    (landing / "yellow_tripdata_2024-01.csv").write_text(csv())
    assert main(["load", "taxi", "--month", "2024-01", "--month", "2024-02", "--download"]) == 1
    error = "error: 2024-02: no file for 2024-02 in landing/taxi, and SLUICE_DOWNLOAD_URL_TAXI is not set"
    assert error in capsys.readouterr().err
    assert query(LOADED) == [("2024-01", "yellow_tripdata_2024-01.csv", 1)]


def test_scheduled_run_takes_months_that_are_missing_or_changed(
    landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = date(2023, 12, 15)

    def due(last: str = "2024-03") -> list[str]:
        found = months_to_load("taxi", first, last, project_settings.load())
        return [month for month in found if month != last]

    def load(*months: str) -> None:
        for month in months:
            download_partition("taxi", month, project_settings.load())
        load_domain("taxi")

    with serving() as server:
        months = ("2023-12", "2024-01", "2024-02")
        # The same bytes would be known as the content of another month.
        for trips, month in enumerate(months[:2], start=2):
            url = server.put(f"yellow_tripdata_{month}.csv", csv(trips).encode(), ETag=f'"{month}"')
        monkeypatch.setenv("SLUICE_DOWNLOAD_URL_TAXI", url.replace("2024-01", "{month}"))
        assert due() == [*months]
        load(*months[:2])
        # The month of the interval is always among them.
        assert months_to_load("taxi", first, "2024-01", project_settings.load()) == ["2024-01"]
        assert due() == ["2024-02"]
        server.put("yellow_tripdata_2024-02.csv", csv(1).encode(), Last_Modified=BEFORE)
        load("2024-02")
        assert due() == []
        # Published again: by its ETag, its length, or its time of change.
        server.put("yellow_tripdata_2023-12.csv", csv(2).encode(), ETag='"new"')
        server.put("yellow_tripdata_2024-01.csv", csv(5).encode(), ETag='"2024-01"')
        server.put(
            "yellow_tripdata_2024-02.csv", csv(1).encode(), Last_Modified="Tue, 02 Jan 2024 00:00:00 GMT"
        )
        assert due() == [*months]
        load(*months)
        assert due() == []
        # In landing and not loaded, as after a load that failed.
        (landing / "yellow_tripdata_2024-02.csv").write_text(csv(7))
        assert due() == ["2024-02"]
        load_domain("taxi")
        # A server without an answer leaves what is there; and so does one that answers HEAD with an error.
        server.head_fault = Fault(status=403)
        assert due() == []
    monkeypatch.setattr(partition, "has_changed", _unreachable)
    assert due("2024-05") == ["2024-03", "2024-04"]


def _unreachable(url: str, folder: Path) -> bool:
    raise DownloadError(f"{url}: gave up")
