"""Deliveries, and a look into what was loaded."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.load import load_domain
from ingestion.results import FilesFailedError
from samples.apis.server import SampleApis, serving
from samples.apis.variables import variables
from settings import Settings
from tests.sample_domains import needs

Query = Callable[..., list[tuple[Any, ...]]]
Deliver = Callable[..., Path]


def crash(collision_id: int, **values: str) -> str:
    """One CSV line in the order of the known columns."""
    from ingestion.sources.collisions import CRASHES

    row = dict.fromkeys(CRASHES.columns, "") | {
        "crash_date": "04/18/2022",
        "crash_time": "19:20",
        "collision_id": str(collision_id),
        **values,
    }
    return ",".join(row.values())


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers on loopback are asked themselves."""
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "*")


@pytest.fixture
def deliver(settings: Settings) -> Deliver:
    """Put a file of collisions with the given lines into landing."""
    needs("collisions")
    from ingestion.sources.collisions import CRASHES

    def put(name: str, *lines: str, header: str = ",".join(CRASHES.columns)) -> Path:
        return _write(settings.landing("collisions") / name, header, *lines)

    return put


@pytest.fixture
def shop(settings: Settings) -> Deliver:
    """Put a file of the shop with the given lines into landing; the name says the header."""
    needs("ecommerce")
    from ingestion.sources.ecommerce import RESOURCES

    def put(name: str, *lines: str, header: str | None = None) -> Path:
        columns = (resource.columns for resource in RESOURCES if resource.matches(name))
        return _write(settings.landing("ecommerce") / name, header or ",".join(next(columns)), *lines)

    return put


def _write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def load_shop(*entities: str) -> dict[tuple[str, str], str]:
    """Load the shop, or some entities of it; the status of each entity's files, or why one failed."""
    try:
        summary = load_domain("ecommerce", entities=entities or None)
    except FilesFailedError as error:
        summary = error.summary
    return {(file.entity, file.name): file.reason or file.status for file in summary.results}


@pytest.fixture
def query(settings: Settings) -> Query:
    """Rows of a query on the working warehouse."""
    return query_of(settings)


def query_of(settings: Settings) -> Query:
    """Rows of a query on the warehouse of these settings."""

    def run(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    return run


@pytest.fixture
def apis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[SampleApis]:
    """The sample APIs, and an environment that leads to them."""
    needs("collisions", "news", "sales")
    apis = SampleApis()
    with serving(apis) as base:
        for name, value in variables(base).items():
            monkeypatch.setenv(name, value)
        yield apis


def check_rows(query: Query, domain: str, entity: str) -> None:
    """The one row of `file_loads` of an API adds up with what is there, and all of that is of completed loads."""
    ((read, loaded, rejected, load_id),) = query(
        f"select rows_read, rows_loaded, rows_rejected, _dlt_load_id from raw_{domain}.file_loads"
    )
    completed = f"select load_id from raw_{domain}._dlt_loads where status = 0"
    counts = f"count(*), count(distinct _row_id), count(*) filter (where _dlt_load_id in ({completed}))"
    assert query(f"select {counts} from raw_{domain}.{entity}") == [(loaded, loaded, loaded)]
    rejects = f"select count(*), count(*) filter (where _dlt_load_id = '{load_id}') from raw_{domain}.rejected_lines"
    assert query(rejects) == [(rejected, rejected)]
    assert read == loaded + rejected
