"""Crashes of the city's API, beside those of files."""

from collections.abc import Callable, Iterator

import pytest

import settings as project_settings
from cli.main import main
from ingestion.api.load_api import load_api
from ingestion.load import fetch_records, load_domain
from ingestion.registry import apis_in_use
from ingestion.results import FilesFailedError, LoadResult
from ingestion.retry_policy import RetryPolicy
from ingestion.sources import collisions
from ingestion.sources.collisions import CRASHES, CRASHES_API
from orchestration.steps import steps_of
from samples.apis.collisions import CollisionsApi
from samples.apis.faults import KINDS, Fault
from samples.apis.server import SampleApis, serving
from samples.apis.variables import APP_TOKEN, collisions_variables
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, crash
from tests.kill_at import COMPLETE, COPY, MERGE, Point, named, run_to_death

CRASHES_OF_API = 35
RAW = "raw_collisions.crashes"
Load = Callable[[], LoadResult]


@pytest.fixture
def served(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[SampleApis]:
    """The city's API, in pages of ten crashes."""
    monkeypatch.setattr(collisions, "PAGE_SIZE", 10)
    apis = SampleApis(crashes=CRASHES_OF_API)
    with serving(apis) as base:
        for name, value in collisions_variables(base).items():
            monkeypatch.setenv(name, value)
        yield apis


@pytest.fixture
def city(served: SampleApis) -> CollisionsApi:
    """The crashes of the API."""
    return served.collisions


@pytest.fixture
def load(city: CollisionsApi) -> Load:
    """Load the crashes of the API with quick retries."""
    policy = RetryPolicy(1.0, attempts=4, first_wait=0.01)
    return lambda: load_api(CRASHES_API, project_settings.load(), policy=policy)


def check_rows(query: Query, city: CollisionsApi) -> None:
    """The raw table has the last version of each crash of the API once, and `file_loads` its number."""
    found = query(f"select collision_id, updated_at from {RAW} where _source_file = 'crashes.api' order by 1")
    assert found == sorted((each["collision_id"], each[":updated_at"]) for each in city.crashes)
    loads = "select rows_read, rows_loaded, rows_rejected from raw_collisions.file_loads where source_file = 'crashes.api'"
    assert query(loads) == [(len(found), len(found), 0)]


def test_every_page_is_loaded_once(load: Load, served: SampleApis, city: CollisionsApi, query: Query) -> None:
    result = load()
    assert (result.status, result.rows_loaded, result.extra_columns) == ("loaded", CRASHES_OF_API, ())
    check_rows(query, city)
    requests = served.city_faults.requests
    assert len(requests) > CRASHES_OF_API / 10
    assert {request.headers["x-app-token"] for request in requests} == {APP_TOKEN}
    assert {request.path for request in requests} == {"/city/resource/h9gi-nx95.json"}
    columns = [name for (name,) in query(f"select name from pragma_table_info('{RAW}')")]
    assert {name for name in columns if not name.startswith("_")} == {*CRASHES.columns, "updated_at"}


def test_fields_have_the_names_of_the_download(load: Load, city: CollisionsApi, query: Query) -> None:
    load()
    names = "crash_date, crash_time, on_street_name, cross_street_name, off_street_name, vehicle_type_code_2"
    assert query(
        f"select {names} from {RAW} where collision_id in ('4000002', '4000005') order by collision_id"
    ) == [
        ("2021-09-03T00:00:00.000", "2:02", "2 AVENUE", "2 STREET", None, None),
        ("2021-09-06T00:00:00.000", "5:05", None, None, "5 PARKING LOT", "Taxi"),
    ]


def test_only_changes_are_requested_and_replace_their_rows(
    load: Load, served: SampleApis, city: CollisionsApi, query: Query
) -> None:
    load()
    city.change(3, borough=None, number_of_persons_injured="2")
    city.change(36)
    served.city_faults.requests.clear()
    result = load()
    assert (result.status, result.rows_loaded) == ("loaded", 2)
    assert all("where" in request.query for request in served.city_faults.requests)
    # Those of the last known day, and the two changes.
    assert result.rows_read == 4
    check_rows(query, city)
    changed = f"select borough, number_of_persons_injured from {RAW} where collision_id = '4000003'"
    assert query(changed) == [(None, "2")]
    assert load().status == "skipped"


def test_files_and_api_do_not_replace_each_other(
    load: Load, deliver: Deliver, city: CollisionsApi, query: Query
) -> None:
    counts = f"select _source_file, count(*) from {RAW} group by 1 order by 1"
    deliver("crashes.csv", crash(4000001), crash(7))
    load_domain("collisions")
    load()
    assert query(counts) == [("crashes.api", CRASHES_OF_API), ("crashes.csv", 2)]
    deliver("crashes.csv", crash(4000001), crash(7), crash(8))
    deliver("corrections.csv", f"crashes,x,{crash(9)}", header=f"_entity,_row_id,{','.join(CRASHES.columns)}")
    load_domain("collisions")
    city.change(1, borough="QUEENS")
    assert [result.status for result in load_domain("collisions").results] == ["skipped", "skipped", "loaded"]
    assert query(counts) == [("corrections.csv", 1), ("crashes.api", CRASHES_OF_API), ("crashes.csv", 3)]
    deliver("crashes.csv", crash(7))
    load_domain("collisions")
    assert query(counts) == [("corrections.csv", 1), ("crashes.api", CRASHES_OF_API), ("crashes.csv", 1)]
    check_rows(query, city)


def test_rejected_lines_of_files_and_api_are_kept_apart(
    load: Load, deliver: Deliver, city: CollisionsApi, query: Query
) -> None:
    city.crashes.append(
        {"crash_date": "2021-09-11T00:00:00.000", ":id": "row-x", ":updated_at": "2024-01-02"}
    )
    deliver("crashes.csv", crash(7), "too,few")
    load_domain("collisions")
    deliver("crashes.csv", crash(7))
    load_domain("collisions")
    assert query("select source_file, reason from raw_collisions.rejected_lines") == [
        ("crashes.api", "record has no identifier")
    ]


@pytest.mark.parametrize("kind", ["429", "cut"])
def test_temporary_faults_lose_nothing(
    kind: str, load: Load, served: SampleApis, city: CollisionsApi, query: Query
) -> None:
    served.city_faults.coming = [None, KINDS[kind]]
    load()
    check_rows(query, city)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (KINDS["403"], "HTTP 403 Forbidden; check SLUICE_COLLISIONS_API_TOKEN"),
        (KINDS["malformed"], "invalid response: not JSON"),
        (Fault(body=b'{"message": "no list"}'), "invalid response: not a JSON array"),
        (Fault(body=b'[{"collision_id": "1"}]'), "records have no :updated_at and :id"),
        (Fault(body=b'[{":updated_at": "2020-01-01T00:00:00.000Z", ":id": "row-1"}]'), "ignores .where"),
    ],
    ids=["403", "malformed", "object", "no system fields", "old records"],
)
def test_final_fault_loads_nothing_of_the_api(
    fault: Fault, words: str, served: SampleApis, deliver: Deliver, query: Query
) -> None:
    served.city_faults.coming = [None, fault]
    deliver("crashes.csv", crash(7))
    with pytest.raises(FilesFailedError, match=words):
        load_domain("collisions")
    assert query(f"select _source_file from {RAW}") == [("crashes.csv",)]


def test_load_stopped_by_the_server_is_continued(
    load: Load, served: SampleApis, city: CollisionsApi, query: Query
) -> None:
    served.city_faults.coming = [None] * 4 + [KINDS["429"]] * 3
    assert load().status == "partial"
    assert load().status == "loaded"
    check_rows(query, city)


def test_loads_of_few_pages_add_up(
    load: Load, city: CollisionsApi, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More crashes than a load may read changed at one time.
    monkeypatch.setenv("SLUICE_API_MAX_PAGES", "1")
    results = [load() for _ in range(5)]
    assert [(result.status, result.rows_loaded) for result in results] == [
        *[("partial", 10)] * 3,
        ("partial", 5),
        ("loaded", 0),
    ]
    check_rows(query, city)


def test_shifting_pages_lose_nothing(
    load: Load, served: SampleApis, city: CollisionsApi, query: Query
) -> None:
    coming = iter(range(1, 100))
    served.city_faults.coming = [None, *[Fault(then=lambda: city.change(next(coming)))] * 6]
    load()
    check_rows(query, city)


@pytest.mark.parametrize(
    "point",
    [
        ("ingestion.api.client:ApiClient.extract_response", "after", 2),
        (COPY, "after", 1),
        (MERGE, "after", 1),
        (COMPLETE, "before", 1),
    ],
    ids=named,
)
def test_next_load_completes_a_killed_one(
    point: Point, load: Load, deliver: Deliver, city: CollisionsApi, query: Query
) -> None:
    deliver("crashes.csv", crash(4000001), crash(7))
    load_domain("collisions")
    city.change(1, borough="QUEENS")
    city.change(36)
    run_to_death(point, project_settings.load(), "cli", "load", "collisions", "--entity", "crashes_api")
    load_domain("collisions")
    check_rows(query, city)
    assert query(f"select count(*) from {RAW} where _source_file = 'crashes.csv'") == [(2,)]


def test_records_are_fetched_by_one_step_and_loaded_by_another(
    settings: Settings, city: CollisionsApi, query: Query
) -> None:
    assert fetch_records("collisions", "crashes_api", settings).results[0].rows_read == CRASHES_OF_API
    load_domain("collisions", settings, entities=["crashes_api"], fetched=True)
    check_rows(query, city)


def test_api_is_left_out_unless_its_address_is_set(
    served: SampleApis,
    deliver: Deliver,
    settings: Settings,
    query: Query,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ingests() -> list[str]:
        return [step.id for step in steps_of("collisions", settings) if "crashes" in step.id]

    assert ingests() == ["ingest_crashes", "fetch_crashes_api", "ingest_crashes_api"]
    monkeypatch.delenv("SLUICE_COLLISIONS_API_URL")
    assert ingests() == ["ingest_crashes"]
    assert "SLUICE_COLLISIONS_API_URL" not in {api.url_variable for api in apis_in_use()}
    deliver("crashes.csv", crash(7))
    assert main(["load", "collisions"]) == 0
    assert "api" not in capsys.readouterr().out.lower()
    assert query("select source_file from raw_collisions.file_loads") == [("crashes.csv",)]
    assert served.city_faults.requests == []
    # By its name it is to be there.
    assert main(["load", "collisions", "--entity", "crashes_api"]) == 1
    assert "SLUICE_COLLISIONS_API_URL is not set" in capsys.readouterr().out
