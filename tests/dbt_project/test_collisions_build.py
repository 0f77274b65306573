"""Collisions: builds after a change in the raw tables."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from quality.quarantine import quarantine
from samples.apis.collisions import CollisionsApi
from samples.apis.server import SampleApis, serving
from samples.apis.variables import collisions_variables
from settings import Settings
from tests.dbt_project.built import Built
from tests.forks import run_dbt
from tests.parsed import Parsed
from transformation.dbt import DbtError, selectors

pytestmark = pytest.mark.slow

COUNTS = [
    f"number_of_{group}_{harm}"
    for group in ("persons", "pedestrians", "cyclist", "motorist")
    for harm in ("injured", "killed")
]
DELIVERED = [
    *["collision_id", "crash_date", "crash_time", "borough", "zip_code", "latitude", "longitude", "location"],
    *["on_street_name", "cross_street_name", "off_street_name"],
    *COUNTS,
    *[f"contributing_factor_vehicle_{position}" for position in range(1, 6)],
    *[f"vehicle_type_code_{position}" for position in range(1, 6)],
]

APRIL = [
    {"collision_id": "1", "crash_date": "04/18/2022"},
    {"collision_id": "2", "crash_date": "04/19/2022", "vehicle_type_code_2": "Taxi"},
    {"collision_id": "3", "crash_date": "03/01/2022"},
    {"collision_id": "x", "crash_date": "02/30/2022"},
]
SELECT = ("--select", *selectors("collisions"))
ACCOUNTING = ("--select", "validated_collisions__crashes", "audit_collisions__row_counts")


class Warehouse:
    """A warehouse with raw tables as ingestion creates them."""

    def __init__(self, data_dir: Path, project: Parsed):
        self.settings = project.put(Settings(data_dir=data_dir, env="dev"))
        self.path = self.settings.warehouse
        self.project = project
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            return
        self.execute(
            "create schema raw_collisions",
            f"create table raw_collisions.crashes ({', '.join(f'{name} text' for name in DELIVERED)},"
            " _source_file text, _source_row bigint, _row_id text, _corrects_row_id text, _dlt_load_id text)",
            "create table raw_collisions.rejected_lines (entity text, source_file text, line_number bigint,"
            " reason text, line text, line_count bigint, _row_id text, _dlt_load_id text)",
            "create table raw_collisions.file_loads (entity text, source_file text, sha256 text, bytes bigint,"
            " rows_read bigint, rows_loaded bigint, rows_rejected bigint, status text, reason text,"
            " extra_columns text, loaded_at timestamptz, _dlt_load_id text)",
        )

    def execute(self, *statements: str) -> list[tuple]:
        """Run the statements and return the rows of the last one."""
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                result = connection.execute(statement)
            return result.fetchall()

    def load(self, file: str, load_id: str, rows: list[dict]) -> None:
        """Deliver a file of crashes; columns that a row lacks get usual values."""
        usual = {
            "crash_time": "7:05",
            "borough": "BRONX",
            "vehicle_type_code_1": "Sedan",
            **dict.fromkeys(COUNTS, "0"),
        }
        with duckdb.connect(str(self.path)) as connection:
            for number, row in enumerate(rows, start=2):
                values = usual | row
                values |= {"_source_file": file, "_source_row": number, "_row_id": f"{load_id}:{number}"}
                values["_dlt_load_id"] = load_id
                connection.execute(
                    f"insert into raw_collisions.crashes ({', '.join(values)}) values ({', '.join('?' * len(values))})",
                    list(values.values()),
                )
            connection.execute(
                "insert into raw_collisions.file_loads (entity, source_file, rows_read, rows_loaded, rows_rejected,"
                " status, loaded_at, _dlt_load_id) values ('crashes', ?, ?, ?, 0, 'loaded', '2022-06-01 00:00:00+00', ?)",
                [file, len(rows), len(rows), load_id],
            )

    def dbt(self, *arguments: str) -> str:
        """Run dbt and return its output; a failure raises DbtError."""
        return run_dbt(list(arguments), self.settings)

    def facts(self) -> dict[str, list[tuple]]:
        """Return the rows of the tables that are rebuilt by month."""
        return {
            table: self.execute(f"select * exclude (_built_at) from marts.{table} order by all")
            for table in ("fct_collisions", "fct_collision_vehicles")
        }


@pytest.fixture(scope="module")
def built(tmp_path_factory, project) -> Warehouse:
    """Build the first file once."""
    warehouse = Warehouse(tmp_path_factory.mktemp("data"), project)
    warehouse.load("april.csv", "100.1", [*APRIL, {"collision_id": "4", "crash_date": "02/01/2022"}])
    warehouse.dbt("build", *SELECT)
    return warehouse


@pytest.fixture
def warehouse(built, tmp_path) -> Warehouse:
    """A copy of the built warehouse, which a test may change."""
    shutil.copytree(built.settings.data_dir, tmp_path / "data")
    return Warehouse(tmp_path / "data", built.project)


def test_every_row_is_counted_once(warehouse):
    counts = "select rows_read, rows_clean, rows_quarantined, rows_superseded from marts.audit_collisions__row_counts"
    assert warehouse.execute(counts) == [(5, 4, 1, 0)]
    quarantined = "select collision_id, _failed_rules from clean.quarantine_collisions__crashes"
    assert warehouse.execute(quarantined) == [("x", "collision_id_is_a_number,crash_date_is_a_date")]


def test_later_load_rebuilds_only_its_months_and_equals_a_full_refresh(warehouse):
    # 1 moves from April to May, 3 gets a casualty, 4 is deleted with its month; 2 does not change.
    warehouse.load(
        "corrections.csv",
        "200.1",
        [
            {"collision_id": "1", "crash_date": "05/02/2022"},
            {"collision_id": "3", "crash_date": "03/01/2022", "number_of_persons_killed": "1"},
        ],
    )
    warehouse.execute(
        "delete from raw_collisions.crashes where _dlt_load_id = '100.1'",
        "update raw_collisions.file_loads set status = 'replaced' where _dlt_load_id = '100.1'",
    )
    warehouse.load("april.csv", "150.1", APRIL)

    built = warehouse.dbt("build", *SELECT)

    months = "2022-02-01, 2022-03-01, 2022-04-01, 2022-05-01"
    assert f"fct_collisions: rebuilding {months}" in built
    # The casualty does not change a vehicle, so March is not rebuilt.
    assert f"fct_collision_vehicles: rebuilding {months.replace('2022-03-01, ', '')}" in built
    incremental = warehouse.facts()
    superseded = "select rows_superseded from marts.audit_collisions__row_counts order by source_file"
    assert warehouse.execute(superseded) == [(2,), (0,)]

    again = warehouse.dbt("run", "--select", "tag:collisions")
    assert again.count("no month differs") == 2, again
    assert warehouse.facts() == incremental

    warehouse.dbt("run", "--full-refresh", "--select", "tag:collisions")
    assert warehouse.facts() == incremental


@pytest.mark.parametrize(
    "damage",
    [
        "delete from raw_collisions.crashes where collision_id = '2'",
        "delete from raw_collisions.crashes",
        "update raw_collisions.file_loads set rows_read = rows_read + 1 where source_file = 'april.csv'",
    ],
)
def test_missing_row_fails_the_build(warehouse, damage):
    assert "row_reconciliation_audit_collisions__row_counts_" in what_fails(
        warehouse, [damage], "build", *ACCOUNTING, "--exclude-resource-type", "unit_test"
    )


@pytest.mark.parametrize("replaced", ["", ", null as vehicle_position"])
def test_duplicate_or_null_key_fails_the_build(warehouse, replaced):
    fact = "marts.fct_collision_vehicles"
    damage = [
        f"alter table {fact} alter vehicle_position drop not null",
        # Written after the keys were checked.
        f"insert into {fact} select * replace (_built_at + interval 1 day as _built_at{replaced}) from {fact} limit 1",
    ]
    failed = what_fails(warehouse, damage, "test", "--select", "fct_collision_vehicles,test_name:primary_key")
    assert "Got 1 result" in failed


def what_fails(warehouse: Warehouse, damage: list[str], *command: str) -> str:
    """Damage the warehouse and return the output of the dbt command, which must fail."""
    warehouse.execute(*damage)
    with pytest.raises(DbtError) as failed:
        warehouse.dbt(*command)
    assert f"dbt {command[0]} ended with status 1" in str(failed.value)
    assert "FAIL" in str(failed.value)
    return str(failed.value)


DOWNLOAD = {name: name.upper().replace("_", " ") for name in DELIVERED} | {"collision_id": "COLLISION_ID"}
FACTS = "select * exclude (_built_at) from marts.{} order by all"
COUNTED = (
    "select source_file, rows_read, rows_clean, rows_quarantined, rows_superseded"
    " from marts.audit_collisions__row_counts order by 1"
)


class City(Built):
    """Collisions from files and, once `url` is set, from the city's API."""

    url = ""

    def build(self, *options: str) -> None:
        """Load new files and records, and build them."""
        with pytest.MonkeyPatch.context() as environment:
            for name, value in (collisions_variables(self.url) if self.url else {}).items():
                environment.setenv(name, value)
            super().build(*options)

    def facts(self) -> list[list[tuple]]:
        """Return the rows of the facts."""
        return [self.query(FACTS.format(table)) for table in ("fct_collisions", "fct_collision_vehicles")]


def downloaded(record: dict[str, str]) -> str:
    """Return the line of the download for a crash of the API."""
    row = {name: str(value) for name, value in record.items() if value is not None}
    row["crash_date"] = f"{datetime.fromisoformat(row['crash_date']):%m/%d/%Y}"
    row["cross_street_name"], row["off_street_name"] = (
        row.get("off_street_name", ""),
        row.get("cross_street_name", ""),
    )
    row["location"] = f'"({row["latitude"]}, {row["longitude"]})"'
    for position in (1, 2):
        row[f"vehicle_type_code_{position}"] = row.get(f"vehicle_type_code{position}", "")
    return ",".join(row.get(name, "") for name in DOWNLOAD)


@pytest.fixture(scope="module")
def city(tmp_path_factory, project) -> Iterator[tuple[City, CollisionsApi]]:
    """Build a download, and serve the same crashes and five later ones by the API."""
    apis = SampleApis(crashes=25)
    city = City("collisions", tmp_path_factory.mktemp("city"), project)
    city.deliver("download.csv", ",".join(DOWNLOAD.values()), *map(downloaded, apis.collisions.crashes[:20]))
    city.build()
    with serving(apis) as base, pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "*")
        environment.setenv("no_proxy", "*")
        city.url = base
        yield city, apis.collisions


def test_crash_of_file_and_api_counts_once(city):
    built, api = city
    ids = {4_000_000 + number for number in range(1, 21)}
    before = built.facts()
    assert len(before[0]) == 20

    built.build()
    # The download has the same values, so the facts of these crashes do not change.
    shared = [[row for row in rows if ids & {*row}] for rows in built.facts()]
    assert shared == before
    assert built.query("select count(*), count(distinct collision_id) from marts.fct_collisions") == [
        (25, 25)
    ]
    assert built.query(COUNTED) == [("crashes.api", 25, 25, 0, 0), ("download.csv", 20, 0, 0, 20)]

    # 1 changes; 2 gets a wrong date, so the version of the download counts; 26 is new and wrong.
    api.change(1, borough="BROOKLYN")
    api.change(2, crash_date="soon")
    api.change(26, crash_time="soon")
    built.build()
    assert built.query(COUNTED) == [("crashes.api", 26, 24, 2, 0), ("download.csv", 20, 1, 0, 19)]
    changed = "select borough from clean.clean_collisions__crashes where collision_id = 4000001"
    assert built.query(changed) == [("BROOKLYN",)]

    # A change of other crashes, one of them to another month, leaves them in quarantine.
    api.change(3, borough="QUEENS")
    api.change(4, crash_date="2021-12-05T00:00:00.000")
    built.build()
    assert built.query(COUNTED) == [("crashes.api", 26, 24, 2, 0), ("download.csv", 20, 1, 0, 19)]

    # Both are corrected by hand; then the city corrects 26, and what it gives is newer.
    export = built.settings.data_dir / "export.csv"
    assert quarantine("collisions", built.settings, export=export).rows == 2
    lines = export.read_text().replace("soon,", "2021-09-11,", 1).replace("soon,", "2:39,", 1)
    built.deliver("corrections.csv", lines.strip())
    built.build()
    assert built.query(COUNTED) == [
        ("corrections.csv", 2, 2, 0, 0),
        ("crashes.api", 26, 24, 0, 2),
        ("download.csv", 20, 0, 0, 20),
    ]
    api.change(26, crash_time="2:40")
    built.build()
    assert built.query(COUNTED) == [
        ("corrections.csv", 2, 1, 0, 1),
        ("crashes.api", 26, 25, 0, 1),
        ("download.csv", 20, 0, 0, 20),
    ]
    at = "select crash_at from clean.clean_collisions__crashes where collision_id = 4000026"
    assert f"{built.query(at)[0][0]:%H:%M}" == "02:40"

    # A version that is wrong again is in quarantine again.
    api.change(26, crash_time="later")
    built.build("--write-json")
    assert quarantine("collisions", built.settings).rows == 1
    built.assert_equal_to_full_refresh()


def test_without_the_api_its_rows_stay(city, tmp_path):
    built, _ = city
    copied = built.copied_to(tmp_path / "data")
    copied.url = ""
    before = copied.query(COUNTED)
    copied.build()
    assert copied.query(COUNTED) == before
