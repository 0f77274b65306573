"""Values that cannot be read, words for null, keys in other forms and rows with one key, from the file to the marts."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality.quarantine import quarantine
from tests.dbt_project.built import Built
from tests.parsed import Parsed

pytestmark = pytest.mark.slow

ORDER = "order_id,customer_id,product_id,quantity,unit_price,order_date,status"
CUSTOMER = "customer_id,name,email,region,updated_at"
NULL_WORDS = [
    "NULL",
    "null",
    "N/A",
    "#N/A",
    "nan",
    "None",
    "-",
    "\\N",
    "NaN",
    "(null)",
    "unknown",
    " ",
    "<NA>",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Built:
    shop = Built("ecommerce", tmp_path_factory.mktemp("shop"), project)
    shop.deliver(
        "customers_1.csv",
        CUSTOMER,
        "C1,Null,ann@x.org,North,2024-01-01 08:00:00",
        *(
            f"R{number},N,r{number}@x.org,{word},2024-01-01 08:00:00"
            for number, word in enumerate(NULL_WORDS)
        ),
        "M0,N,info@müller.example,North,2024-01-01 08:00:00",
        "M1,N,用户@例子.公司,North,2024-01-01 08:00:00",
        "T1,N,t1@x.org,No\u200brth,epoch",
        "T2,N,t2@x.org,\u00a0North,infinity",
        "T3,N,t3@x.org,North,None",
        "T4,N,t4@x.org,North,2024-02-30 10:00:00",
        "2001.0,N,n@x.org,North,2024-01-01 08:00:00",
        "D1,N,d1@x.org,North,2024-01-01 08:00:00",
        "D1,N,d1@x.org,South,2024-01-01 08:00:00",
    )
    shop.deliver(
        "products_1.csv", "product_id,product_name,category,unit_cost", "P1,Cup,Home,2.50", "P2,-,Home,7",
        "P3,Lamp,NULL,7", "P4,Mug,Home,$7.00", "0042,Tea,Home,1", "P5,Jar,Home,n/a",
    )  # fmt: skip
    # The later status counts, although it is loaded first.
    shop.deliver(
        "orders_0.csv", ORDER, "S1,C1,P1,1,10.00,2024-05-01,returned", "1001,C1,P1,1,10.00,2024-05-01,shipped"
    )
    shop.deliver(
        "orders_1.csv",
        ORDER,
        "S1,C1,P1,1,10.00,2024-05-01,shipped",
        "1001.0,C1,P1,1,10.00,2024-05-01,placed",
        "O-A,\ufeffC1,P1,1,10.00,2024-05-01,placed",
        "\ufeffO-B,C1,P1\u200b,1,10.00,2024-05-01,placed",
        "'1002,C1,P1,1,10.00,2024-05-01,placed",
        '"=""1003""",C1,P1,1,10.00,2024-05-01,placed',
        "1.004E3,2.001E3,P1,1,10.00,2024-05-01,placed",
        "\uff11\uff10\uff10\uff15,2001,0042,1,10.00,2024-05-01,placed",
        "1.23457E+11,C1,P1,1,10.00,2024-05-01,placed",
        "5E+20,C1,P1,1,10.00,2024-05-01,placed",
        '"1,006",C1,P1,1,10.00,2024-05-01,placed',
        "U1,1.23457E+11,P1,1,10.00,2024-05-01,placed",
        "U2,C1,42,1,10.00,2024-05-01,placed",
        "Q1,C1,P1,1.5,10.00,2024-05-01,placed",
        "Q2,C1,P1,1,$2.00,2024-05-01,placed",
        "Q3,C1,P1,1,(2.00),2024-02-30,placed",
        "Q4,C1,P1,99999999999,1e15,today,placed",
        "Q5,C1,P1,1,NaN,epoch,placed",
        "Q6,C1,P1,1,1_0.5,2024-05-01,placed",
        "NULL,C1,P1,1,10.00,2024-05-01,placed",
        "K1,C1,P1,2,10.00,2024-05-01,placed",
        "K1,C1,0042,1,20.00,2024-05-01,placed",
        "K2,C1,P1,1,10.00,2024-05-01,placed",
        "K2 ,C1,P1,1,10.0,2024-05-01,placed",
    )
    shop.deliver("orders_2.csv", ORDER, "O-B,C1,P1,1,10.00,2024-05-01,shipped")
    shop.build()
    return shop


def statuses(built: Built, entity: str, key: str) -> list[tuple]:
    return built.query(
        f"select {key}, row_status, _failed_rules from clean.validated_{built.domain}__{entity} order by _source_file, _source_row"
    )


def test_orders(shop: Built) -> None:
    assert statuses(shop, "orders", "order_id") == [
        ("S1", "valid", ""),
        ("1001", "valid", ""),
        ("S1", "superseded", ""),
        ("1001", "superseded", ""),
        ("O-A", "valid", ""),
        ("O-B", "superseded", ""),
        ("1002", "valid", ""),
        ("1003", "valid", ""),
        ("1004", "valid", ""),
        ("1005", "valid", ""),
        (None, "quarantined", "order_id_is_readable"),
        (None, "quarantined", "order_id_is_readable"),
        (None, "quarantined", "order_id_is_readable"),
        ("U1", "quarantined", "customer_id_is_readable"),
        ("U2", "quarantined", "product_exists"),
        ("Q1", "quarantined", "quantity_is_from_1_to_1000"),
        ("Q2", "quarantined", "unit_price_is_from_0_01_to_100000"),
        ("Q3", "quarantined", "order_date_is_a_date,unit_price_is_from_0_01_to_100000"),
        ("Q4", "quarantined", "order_date_is_a_date,quantity_is_from_1_to_1000,unit_price_is_from_0_01_to_100000"),
        ("Q5", "quarantined", "order_date_is_a_date,unit_price_is_from_0_01_to_100000"),
        ("Q6", "quarantined", "unit_price_is_from_0_01_to_100000"),
        (None, "quarantined", "order_id_is_present"),
        ("K1", "quarantined", "key_is_unique_in_its_file"),
        ("K1", "quarantined", "key_is_unique_in_its_file"),
        ("K2", "superseded", ""),
        ("K2", "valid", ""),
        ("O-B", "valid", ""),
    ]  # fmt: skip
    facts = shop.query("select count(*), sum(revenue), count(distinct customer_key) from marts.fct_orders")
    assert facts == [(9, Decimal("90.00"), 2)]


def test_customers(shop: Built) -> None:
    regions = shop.query(
        "select region, count(*) from marts.dim_customers where customer_id <> 'Unknown' group by 1 order by 1 nulls last"
    )
    assert regions == [("North", 5), (None, len(NULL_WORDS))]
    assert [row for row in statuses(shop, "customers", "customer_id") if row[1] != "valid"] == [
        ("T1", "quarantined", "updated_at_is_a_timestamp"),
        ("T2", "quarantined", "updated_at_is_a_timestamp"),
        ("T4", "quarantined", "updated_at_is_a_timestamp"),
        ("D1", "quarantined", "key_is_unique_in_its_file"),
        ("D1", "quarantined", "key_is_unique_in_its_file"),
    ]
    assert shop.query(
        "select customer_name, region from clean.validated_ecommerce__customers where customer_id in ('C1', 'T1')"
    ) == [("Null", "North"), ("N", "North")]


def test_products(shop: Built) -> None:
    assert statuses(shop, "products", "product_id") == [
        ("P1", "valid", ""),
        ("P2", "quarantined", "product_name_is_present"),
        ("P3", "quarantined", "category_is_present"),
        ("P4", "quarantined", "unit_cost_is_from_0_to_100000"),
        ("0042", "valid", ""),
        ("P5", "quarantined", "unit_cost_is_from_0_to_100000"),
    ]


def test_corrected_conflicts_and_delivered_platform_names(shop: Built, tmp_path: Path) -> None:
    """Of two rows with one key one is corrected; extra columns have names of the platform."""
    shop = shop.copied_to(tmp_path / "data")
    ((first, second),) = shop.query(
        "select min(_row_id), max(_row_id) from clean.quarantine_ecommerce__orders where order_id = 'K1'"
    )
    shop.deliver("orders_fix.csv", f"_row_id,{ORDER}", f"{second},K9,C1,0042,1,20.00,2024-05-01,placed")
    shop.deliver(
        "orders_9.csv",
        f"{ORDER},_failed_rules,row_status,_unreadable,_reasons,failed_rules,is_replaced,other_rules",
        "Z1,C1,P1,1,10.00,2024-05-01,lost,a,b,c,d,e,f,g",
        "Z2,C1,P1,1,10.00,2024-05-01,placed,a,b,c,d,e,f,g",
    )
    shop.build("--write-json")
    assert [row for row in statuses(shop, "orders", "order_id") if row[0] in ("K1", "K9", "Z1", "Z2")] == [
        ("K1", "valid", ""),
        ("K1", "superseded", ""),
        ("Z1", "quarantined", "status_is_known"),
        ("Z2", "valid", ""),
        ("K9", "valid", ""),
    ]
    export = tmp_path / "bad.csv"
    report = quarantine("ecommerce", shop.settings, export=export)
    assert {each.reason for each in report.by_reason} >= {"status_is_known", "order_id_is_readable"}
    header, *lines = export.read_text().splitlines()
    (line,) = (line for line in lines if "Z1" in line)
    values = dict(zip(header.split(","), line.split(","), strict=True))
    assert (values["_reasons"], values["row_status"], values["failed_rules"]) == ("status_is_known", "b", "e")
    assert (values["is_replaced"], values["other_rules"]) == ("f", "g")
    shop.assert_equal_to_full_refresh()


HARMS = [
    f"NUMBER OF {party} {harm}"
    for party in ("PERSONS", "PEDESTRIANS", "CYCLIST", "MOTORIST")
    for harm in ("INJURED", "KILLED")
]
DOWNLOAD = ["CRASH DATE", "CRASH TIME", "BOROUGH", "ZIP CODE", "LATITUDE", "LONGITUDE", "LOCATION", "ON STREET NAME", "CROSS STREET NAME", "OFF STREET NAME", *HARMS, *(f"CONTRIBUTING FACTOR VEHICLE {n}" for n in range(1, 6)), "COLLISION_ID", *(f"VEHICLE TYPE CODE {n}" for n in range(1, 6))]  # fmt: skip


def crash(number: str, **values: str) -> str:
    """Return a line of the download; `values` are by the names of the columns in snake_case."""
    usual = {
        "crash_date": "05/06/2022", "crash_time": "0:00", "borough": "BRONX", "zip_code": "10451", "latitude": "40.82",
        "longitude": "-73.92", "on_street_name": "MAIN AVENUE", "cross_street_name": "2 STREET", "collision_id": number,
        "number_of_persons_injured": "1", "number_of_motorist_injured": "1.0", "vehicle_type_code_1": "Unknown",
    }  # fmt: skip
    values = usual | values
    return ",".join(values.get(name.lower().replace(" ", "_"), "") for name in DOWNLOAD)


@pytest.fixture(scope="module")
def collisions(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Built:
    collisions = Built("collisions", tmp_path_factory.mktemp("collisions"), project)
    collisions.deliver(
        "crashes_1.csv",
        ",".join(DOWNLOAD),
        crash("1"),
        crash("2.0", zip_code="10451.0", number_of_persons_injured="N/A"),
        crash("3", crash_time="epoch"),
        crash("4", crash_time="infinity"),
        crash("5", crash_date="infinity"),
        crash("6", crash_date="epoch", crash_time="24:00"),
        crash("7", latitude="inf", longitude="NaN"),
        crash("8", latitude="40 N", number_of_cyclist_killed="1.5", number_of_persons_killed="two"),
        crash("9", zip_code="1.0451E+04", borough="none"),
        crash("10", zip_code="451"),
        crash("1.1E+1", zip_code="1.05E+04"),
        crash("1.23457E+9"),
        crash("12", on_street_name="MAIN\u00ad AVE\u200bNUE", cross_street_name="\u00a02  STREET"),
        # The hour that the clocks skipped, and the one that they showed twice.
        crash("13", crash_date="03/13/2022", crash_time="2:30"),
        crash("14", crash_date="11/07/2021", crash_time="1:30:00"),
    )
    names = [name.lower().replace(" ", "_") for name in DOWNLOAD]
    collisions.deliver(
        "crashes_api.csv",
        ",".join(names),
        crash("21", crash_date="2022-05-06T00:00:00.000", crash_time="2:39", cross_street_name="", off_street_name="2 STREET"),
        crash("22", crash_date="2022-05-07T00:00:00.000", crash_time="23:59", cross_street_name="5 MAIN AVENUE", on_street_name=""),
    )  # fmt: skip
    collisions.build()
    return collisions


def test_crashes(collisions: Built) -> None:
    assert statuses(collisions, "crashes", "collision_id") == [
        (1, "valid", ""),
        (2, "valid", ""),
        (3, "quarantined", "crash_time_is_a_time"),
        (4, "quarantined", "crash_time_is_a_time"),
        (5, "quarantined", "crash_date_is_a_date"),
        (6, "quarantined", "crash_date_is_a_date,crash_time_is_a_time"),
        (7, "quarantined", "latitude_is_readable"),
        (8, "quarantined", "persons_killed_is_a_count,cyclists_killed_is_a_count,latitude_is_readable"),
        (9, "valid", ""),
        (10, "quarantined", "zip_code_is_a_zip_code"),
        (11, "quarantined", "zip_code_is_a_zip_code"),
        (None, "quarantined", "collision_id_is_a_number"),
        (12, "valid", ""),
        (13, "valid", ""),
        (14, "valid", ""),
        (21, "valid", ""),
        (22, "valid", ""),
    ]
    facts = collisions.query(
        "select collision_id, strftime(crash_at, '%Y-%m-%d %H:%M'), persons_injured from marts.fct_collisions order by 1"
    )
    assert facts == [
        (1, "2022-05-06 00:00", 1),
        (2, "2022-05-06 00:00", 1),
        (9, "2022-05-06 00:00", 1),
        (12, "2022-05-06 00:00", 1),
        (13, "2022-03-13 02:30", 1),
        (14, "2021-11-07 01:30", 1),
        (21, "2022-05-06 02:39", 1),
        (22, "2022-05-07 23:59", 1),
    ]
    places = collisions.query(
        "select on_street_name, cross_street_name, off_street_name, zip_code, borough from marts.dim_locations order by all"
    )
    assert [place for place in places if any(place)] == [
        ("MAIN AVENUE", "2 STREET", None, "10451", "BRONX"),
        ("MAIN AVENUE", "2 STREET", None, "10451", "UNKNOWN"),
        (None, None, "5 MAIN AVENUE", "10451", "BRONX"),
        (None, None, None, None, "UNKNOWN"),
    ]
    assert collisions.query("select count(*) from marts.fct_collision_vehicles") == [(8,)]


TRIP = {
    "VendorID": "1", "tpep_pickup_datetime": "2025-03-01 10:00:00", "tpep_dropoff_datetime": "2025-03-01 10:09:00",
    "passenger_count": "1", "trip_distance": "2.5", "RatecodeID": "1", "store_and_fwd_flag": "N", "PULocationID": "142",
    "DOLocationID": "236", "payment_type": "1", "fare_amount": "12.00", "extra": "1.00", "mta_tax": "0.50",
    "tip_amount": "2.00", "tolls_amount": "0.00", "improvement_surcharge": "1.00", "total_amount": "19.75",
    "congestion_surcharge": "2.50", "Airport_fee": "0.00", "cbd_congestion_fee": "0.75",
}  # fmt: skip
UNREADABLE = {
    "tip_amount": ("$2.00", "tip_is_within_10000"), "extra": ('"1,50"', "extra_is_readable"),
    "passenger_count": ("1.5", "passenger_count_is_readable"), "PULocationID": ("JFK", "pickup_location_id_is_readable"),
    "DOLocationID": ("142.7", "dropoff_location_id_is_readable"), "tolls_amount": ("6.94 USD", "tolls_amount_is_readable"),
    "congestion_surcharge": ("2;50", "congestion_surcharge_is_readable"), "mta_tax": ("abc", "mta_tax_is_readable"),
    "improvement_surcharge": ("??", "improvement_surcharge_is_readable"), "Airport_fee": ("inf", "airport_fee_is_readable"),
    "cbd_congestion_fee": ("1e30", "cbd_congestion_fee_is_readable"), "VendorID": ("CMT", "vendor_is_known"),
    "fare_amount": ("(2.00)", "fare_is_within_10000"), "trip_distance": ("2 miles", "distance_is_from_0_to_500_miles"),
    "RatecodeID": ("1.5", "rate_code_is_known"), "payment_type": ("cash", "payment_type_is_known"),
    "total_amount": ("0x10", "total_is_within_10000"), "store_and_fwd_flag": ("yes", "store_and_fwd_flag_is_y_or_n"),
    "tpep_pickup_datetime": ("today", "pickup_is_a_time"), "tpep_dropoff_datetime": ("2025-02-30 10:00:00", "dropoff_is_a_time"),
}  # fmt: skip


@pytest.fixture(scope="module")
def taxi(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Built:
    taxi = Built("taxi", tmp_path_factory.mktemp("taxi"), project)
    absent = {
        "passenger_count": "N/A",
        "PULocationID": "",
        "tip_amount": "NaN",
        "extra": "-",
        "VendorID": "NULL",
    }
    trips = [TRIP, TRIP | absent | {"total_amount": "16.75"}]
    for number, (name, (text, _)) in enumerate(UNREADABLE.items(), start=2):
        trips.append(TRIP | {"tpep_dropoff_datetime": f"2025-03-01 10:{number + 10}:00"} | {name: text})
    local = {
        # Local time stays as it is, with an offset of New York or marked as UTC; other offsets cannot be read.
        "tpep_pickup_datetime": "2025-03-09T01:59:00-05:00", "tpep_dropoff_datetime": "2025-03-09 03:01:00Z",
    }  # fmt: skip
    trips += [TRIP | local, TRIP | local | {"tpep_pickup_datetime": "2025-03-09 01:59:00+02:00"}]
    trips += [
        TRIP | {"VendorID": "7", "tpep_dropoff_datetime": TRIP["tpep_pickup_datetime"]},
        TRIP | {"tpep_dropoff_datetime": TRIP["tpep_pickup_datetime"]},
        # Two records of one trip that differ in the tip, and an exact duplicate.
        TRIP | {"fare_amount": "50", "extra": "1"},
        TRIP | {"fare_amount": "50.0", "extra": "2"},
        TRIP,
    ]
    taxi.deliver("yellow_tripdata_2025-03.csv", ",".join(TRIP), *(",".join(trip.values()) for trip in trips))
    _write_parquet(taxi.landing / "yellow_tripdata_2025-04.parquet")
    taxi.build()
    return taxi


def _write_parquet(path: Path) -> None:
    """Write a trip of a month whose file has times with a zone, and no congestion fee."""
    trip = {name: [text] for name, text in TRIP.items() if name != "cbd_congestion_fee"}
    for name in ("tpep_pickup_datetime", "tpep_dropoff_datetime"):
        stamp = pa.array([TRIP[name].replace("-03-", "-04-").replace(" ", "T")]).cast(pa.timestamp("us"))
        trip[name] = stamp.cast(pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table(trip), path)


def test_trips(taxi: Built) -> None:
    found = [rules for _, _, rules in statuses(taxi, "trips", "vendor_id")]
    rules = [rule for _, rule in UNREADABLE.values()]
    conflict = "key_is_unique_in_its_file"
    assert found == [
        "",
        "",
        *rules,
        "",
        "pickup_is_a_time",
        "",
        "pickup_is_before_dropoff",
        conflict,
        conflict,
        "",
        "",
    ]
    amounts = "fare_amount + coalesce(extra, 0) + mta_tax + coalesce(tip_amount, 0) + tolls_amount + improvement_surcharge + congestion_surcharge + airport_fee + cbd_congestion_fee"
    facts = taxi.query(
        f"select strftime(pickup_at, '%m-%d %H:%M'), strftime(dropoff_at, '%H:%M'), cbd_congestion_fee, total_amount = {amounts}, trip_minutes, miles_per_hour, tip_amount, passenger_count from marts.fct_trips order by pickup_at, trip_minutes, passenger_count nulls last"
    )
    fee, tip, nine, speed = Decimal("0.75"), Decimal("2.00"), Decimal("9.00"), Decimal("16.67")
    assert facts == [
        ("03-01 10:00", "10:09", fee, True, nine, speed, tip, 1),
        ("03-01 10:00", "10:09", fee, True, nine, speed, None, None),
        ("03-01 10:00", "10:00", fee, True, None, None, tip, 1),
        ("03-09 01:59", "03:01", fee, True, Decimal("62.00"), Decimal("2.42"), tip, 1),
        ("04-01 10:00", "10:09", None, None, nine, speed, tip, 1),
    ]
    days = "select strftime(pickup_date, '%m-%d'), trips, average_minutes, tips from marts.agg_trips_by_day order by 1"
    assert taxi.query(days) == [
        ("03-01", 3, nine, Decimal("4.00")),
        ("03-09", 1, Decimal("62.00"), tip),
        ("04-01", 1, nine, tip),
    ]
