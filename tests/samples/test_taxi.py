import calendar
import csv
import gzip
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

import pandas
import pyarrow.parquet
import pytest

from cli.samples import main
from samples.delivery import REJECTED
from samples.lines import NO_DEFECTS
from samples.taxi import EXPECTED, TYPICAL_DEFECTS, write_taxi
from samples.taxi_values import HEADERS

ALL_DEFECTS = {kind: 2 + n for n, kind in enumerate(EXPECTED)}
IN_PARQUET = {kind: n for kind, n in ALL_DEFECTS.items() if EXPECTED[kind] != REJECTED}
PARTS = (
    "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "improvement_surcharge",
    "congestion_surcharge", "airport_fee",
)  # fmt: skip


def read(file: Path) -> tuple[list[dict[str, str]], int]:
    """Rows of a file by their renamed columns, and the number of lines that cannot be split."""
    rows, broken = [], 0
    header, *lines = file.read_text().splitlines()
    names = HEADERS["renamed"][: header.count(",") + 1]
    for line in lines:
        try:
            (values,) = csv.reader([line], strict=True)
        except csv.Error:
            values = []
        if len(values) == len(names):
            rows.append(dict(zip(names, values, strict=True)))
        else:
            broken += 1
    return rows, broken


def parsed(parse: Callable, text: str) -> Any:
    try:
        return parse(text)
    except (ValueError, InvalidOperation):
        return None


number = partial(parsed, Decimal)
time = partial(parsed, lambda text: datetime.strptime(text, "%Y-%m-%d %H:%M:%S"))


def bounds(month: str) -> tuple[datetime, datetime]:
    begin = datetime.strptime(month, "%Y-%m")
    return begin, begin + timedelta(days=calendar.monthrange(begin.year, begin.month)[1])


def broken_in(month: str) -> Callable[[dict], set[str]]:
    begin, end = bounds(month)
    day = timedelta(days=1)

    def broken(row: dict) -> set[str]:
        pickup, dropoff = time(row["pickup_datetime"]), time(row["dropoff_datetime"])
        distance, fare, total = (number(row[c]) for c in ("trip_distance", "fare_amount", "total_amount"))
        both = pickup and dropoff
        rules = {
            "vendor_is_known": row["vendor_id"] in ("", "1", "2"),
            "rate_code_is_known": row["rate_code_id"] in ("", "1", "2", "3", "4", "5", "6", "99"),
            "payment_type_is_known": row["payment_type"] in ("", "1", "2", "3", "4"),
            "pickup_is_a_time": pickup,
            "dropoff_is_a_time": dropoff,
            "pickup_is_before_dropoff": not both or pickup < dropoff,
            "pickup_is_in_the_files_month": not pickup or begin - day <= pickup < end + day,
            "duration_is_under_24_hours": not both or dropoff - pickup < day,
            "distance_is_from_0_to_500_miles": distance is not None and 0 <= distance <= 500,
            "fare_is_within_10000": fare is not None and abs(fare) <= 10_000,
            "total_is_within_10000": total is not None and abs(total) <= 10_000,
        }
        return {rule for rule, holds in rules.items() if not holds}

    return broken


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("defects", [ALL_DEFECTS, NO_DEFECTS, {"duplicate": 400}])
def test_fates_are_those_that_an_independent_reader_finds(tmp_path: Path, seed: int, defects: dict) -> None:
    months = ("2023-12", "2024-02")
    info = write_taxi(tmp_path, months=months, rows=1000, seed=seed, defects=defects)
    assert [file.name for file in info.files] == [f"yellow_tripdata_{month}.csv" for month in months]
    assert sorted(tmp_path.iterdir()) == list(info.files)
    count, by_rule = Counter(), Counter()
    for month, file in zip(months, info.files, strict=True):
        rows, rejected = read(file)
        broken = [rules for rules in map(broken_in(month), rows) if rules]
        usable = [tuple(row.values()) for row in rows if not broken_in(month)(row)]
        by_rule.update(rule for rules in broken for rule in rules)
        count["lines"] += len(rows) + rejected
        count["rejected"] += rejected
        count["quarantined"] += len(broken)
        count["superseded"] += len(usable) - len(set(usable))
        count["clean"] += len(set(usable))
    part = info.part("trips")
    assert count == {row_status: getattr(part, row_status) for row_status in count}
    assert count["lines"] == 2000
    assert by_rule == part.by_rule
    assert info.defects == {kind: 2 * n for kind, n in defects.items()}


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_kind_of_defect_breaks_its_rules_and_no_other(tmp_path: Path, kind: str) -> None:
    info = write_taxi(tmp_path, rows=500, defects={kind: 60})
    rows, rejected = read(info.files[0])
    broken = [rules for rules in map(broken_in("2024-01"), rows) if rules]
    assert broken == [set(EXPECTED[kind].rules)] * (60 if EXPECTED[kind].rules else 0)
    assert rejected == (60 if EXPECTED[kind] == REJECTED else 0)


def test_each_kind_of_unusable_value_is_there(tmp_path: Path) -> None:
    rows, _ = read(write_taxi(tmp_path, rows=2000, defects=dict.fromkeys(EXPECTED, 60)).files[0])
    amounts = {"10000.01", "-10000.01", ""}
    for column, found in {
        "vendor_id": {"3", "9"},
        "rate_code_id": {"7", "0"},
        "payment_type": {"9", "77"},
        "pickup_datetime": {"", "soon", "2024-02-30 10:00:00"},
        "dropoff_datetime": {"", "soon", "2024-02-30 10:00:00"},
        "trip_distance": {"-1", "500.01", "", "far"},
        "fare_amount": amounts,
        "total_amount": amounts,
    }.items():
        assert {row[column] for row in rows} >= found, column
    pickups = [pickup for row in rows if (pickup := time(row["pickup_datetime"]))]
    begin, end = bounds("2024-01")
    assert begin - timedelta(days=400) <= min(pickups) < begin - timedelta(days=3)
    assert end + timedelta(days=3) <= max(pickups) <= end + timedelta(days=400)
    times = [(time(row["pickup_datetime"]), time(row["dropoff_datetime"])) for row in rows]
    lasted = {(dropoff - pickup).total_seconds() for pickup, dropoff in times if pickup and dropoff}
    assert lasted >= {0, 86_400}
    assert min(lasted) < 0


def test_no_two_clean_lines_are_identical_even_if_many_begin_in_one_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All in one day: the busiest seconds have as many trips as with 6 million a month.
    monkeypatch.setattr(calendar, "monthrange", lambda *_: (0, 1))
    rows, _ = read(write_taxi(tmp_path, rows=200_000, defects=NO_DEFECTS).files[0])
    begun = Counter(row["pickup_datetime"] for row in rows)
    # Only seconds are compared, since the rest could differ by chance.
    apart = {(row["pickup_datetime"], row["dropoff_datetime"][-2:]) for row in rows}
    assert max(begun.values()) > 3
    assert len(apart) == 200_000


def test_trips_are_plausible(tmp_path: Path) -> None:
    rows, _ = read(write_taxi(tmp_path, rows=50_000, defects=NO_DEFECTS).files[0])
    count = len(rows)
    blank = [row for row in rows if row["vendor_id"] == ""]
    refunds = [row for row in rows if Decimal(row["total_amount"]) < 0]
    begin, end = bounds("2024-01")
    pickups = [time(row["pickup_datetime"]) for row in rows]
    inside = [pickup for pickup in pickups if begin <= pickup < end]
    assert 0.008 < len(blank) / count < 0.012
    for column in ("passenger_count", "rate_code_id", "store_and_fwd_flag", "payment_type"):
        assert [row for row in rows if row[column] == ""] == blank
    assert 0.003 < len(refunds) / count < 0.005
    assert {row["payment_type"] for row in refunds} == {"3", "4"}
    assert count - len(inside) == 10
    assert min(pickups) < begin
    assert max(pickups) >= end
    assert inside == sorted(inside)
    per_day = Counter(pickup.day for pickup in inside)
    assert (len(per_day), max(per_day.values()) < 1.1 * min(per_day.values())) == (31, True)
    per_hour = Counter(pickup.hour for pickup in inside)
    assert per_hour[18] > 5 * per_hour[4]
    assert {int(row["pickup_location_id"]) for row in rows} == set(range(1, 266))
    assert {row["rate_code_id"] for row in rows} == {"", "1", "2", "3", "4", "5", "6", "99"}
    for row, pickup in zip(rows, pickups, strict=True):
        minutes = (time(row["dropoff_datetime"]) - pickup).total_seconds() / 60
        miles, fare, tip = (Decimal(row[c]) for c in ("trip_distance", "fare_amount", "tip_amount"))
        assert 1 <= minutes <= 90
        assert 5 < float(miles) / minutes * 60 < 25
        assert abs(fare) == 3 + Decimal("0.7") * (miles // Decimal("0.2"))
        assert Decimal(row["total_amount"]) == sum(Decimal(row[part]) for part in PARTS)
        assert tip == 0 or row["payment_type"] in ("", "1")


# More rows than DuckDB gives to one thread at a time (122,880), if that is quick.
@pytest.mark.parametrize(("suffix", "rows"), [(".csv", 130_000), (".csv.gz", 5000), (".parquet", 130_000)])
def test_a_month_depends_on_its_seed_alone(tmp_path: Path, suffix: str, rows: int) -> None:
    def write(*months: str, seed: int = 1) -> list[bytes]:
        made = write_taxi(tmp_path, months=months, rows=rows, suffix=suffix, seed=seed)
        return [file.read_bytes() for file in made.files]

    (alone,) = write("2024-02")
    among = write("2024-03", "2024-02")
    assert among[1] == alone
    assert write("2024-02", seed=2) != [alone]


def test_months_and_seeds_give_other_trips(tmp_path: Path) -> None:
    trips = []
    for seed in (1, 2):
        for file in write_taxi(tmp_path, months=["2024-01", "2024-03"], rows=500, seed=seed).files:
            trips.append({line.split(",", 3)[3] for line in file.read_text().splitlines()[1:]})
    assert max(len(one & other) for one in trips for other in trips if one is not other) < 10


@pytest.mark.parametrize("airport_fee", [True, False])
@pytest.mark.parametrize("header", HEADERS)
def test_header_is_one_of_those_in_circulation(tmp_path: Path, header: str, airport_fee: bool) -> None:
    made = write_taxi(tmp_path, rows=2000, header=header, airport_fee=airport_fee, defects=NO_DEFECTS)
    names = HEADERS[header] if airport_fee else HEADERS[header][:-1]
    assert made.files[0].read_text().splitlines()[0] == ",".join(names)
    rows, _ = read(made.files[0])
    for row in rows:
        assert Decimal(row["total_amount"]) == sum(Decimal(row[part]) for part in PARTS if part in row)
    assert airport_fee == any(Decimal(row.get("airport_fee", 0)) for row in rows)


def test_renamed_header_is_that_of_real_files(tmp_path: Path, shared_data: Path) -> None:
    (made,) = write_taxi(tmp_path, rows=100, header="renamed", airport_fee=False).files
    with (shared_data / "taxi" / "yellow_tripdata_sample_2019-01.csv").open() as real, made.open() as file:
        assert file.readline() == real.readline()


def test_parquet_and_gzip_hold_the_same_values(tmp_path: Path) -> None:
    csv_, gz, parquet = (
        write_taxi(tmp_path, rows=5000, suffix=suffix, defects=IN_PARQUET).files[0]
        for suffix in (".csv", ".csv.gz", ".parquet")
    )
    assert gzip.decompress(gz.read_bytes()) == csv_.read_bytes()
    made = pyarrow.parquet.read_table(parquet)
    text = pandas.read_csv(csv_, dtype=str, keep_default_na=False)
    assert made.column_names == list(text) == list(HEADERS["official"])
    types = {"store_and_fwd_flag": "string", "VendorID": "int32"}
    types |= dict.fromkeys(("PULocationID", "DOLocationID", "payment_type"), "int64")
    types |= dict.fromkeys(("tpep_pickup_datetime", "tpep_dropoff_datetime"), "timestamp[us]")
    readers = {"timestamp[us]": time, "string": lambda value: value or None}
    for name in text:
        kind = types.get(name, "double")
        assert str(made.schema.field(name).type) == kind, name
        read_text = readers.get(kind, lambda value: None if number(value) is None else float(value))
        assert made[name].to_pylist() == list(map(read_text, text[name])), name


def test_parquet_has_no_broken_lines(tmp_path: Path) -> None:
    info = write_taxi(tmp_path, rows=1000, suffix=".parquet")
    assert TYPICAL_DEFECTS.keys() - info.defects.keys() == {"cut_off", "open_quote"}
    assert (info.rejected, pyarrow.parquet.read_metadata(info.files[0]).num_rows) == (0, 1000)
    with pytest.raises(ValueError, match="Parquet: cut_off, open_quote"):
        write_taxi(tmp_path / "no", suffix=".parquet", defects={"cut_off": 1, "open_quote": 1, "long": 1})
    assert not (tmp_path / "no").exists()


def test_options_reach_the_generator(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = ["--months=2020-04,2019-12", "--rows=90", "--suffix=csv.gz", "--header=renamed"]
    main(["taxi", f"--out={tmp_path / 'a'}", "--no-airport-fee", "--defects=long=4,duplicate=2", *options])
    assert "180 lines (168 clean, 4 superseded, 8 quarantined, 0 rejected)" in capsys.readouterr().out
    for month in ("2020-04", "2019-12"):
        text = gzip.decompress((tmp_path / "a" / f"yellow_tripdata_{month}.csv.gz").read_bytes()).decode()
        assert text.startswith("vendor_id,")
        assert "airport_fee" not in text
    main(["taxi", f"--out={tmp_path / 'c'}", "--suffix=parquet", "--rows=100"])
    assert sorted(file.name for file in (tmp_path / "c").iterdir()) == [
        f"yellow_tripdata_2024-0{n}.parquet" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"months": ["2024-01", "2024-13"]}, "'2024-13'"),
        ({"months": ["2024-1"]}, "'2024-1'"),
        ({"months": ["2024-01\n"]}, "YYYY-MM"),
        ({"months": "2024-01"}, "not one text"),
        ({"months": ["2024-01", "2024-01"]}, "twice"),
        ({"months": []}, "at least one"),
        ({"rows": 0, "defects": NO_DEFECTS}, "at least one"),
        ({"rows": 50_000_001}, "too many"),
        ({"rows": 3, "defects": {"duplicate": 2}}, "too few"),
        ({"suffix": ".tsv"}, "no such suffix: .tsv"),
        ({"header": "other"}, "no such header: other"),
        ({"defects": {"flood": 1}}, "no such defects: flood"),
        ({"defects": {"cut_off": -1}}, "negative"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_taxi(tmp_path, **wrong)
    assert not any(tmp_path.iterdir())
