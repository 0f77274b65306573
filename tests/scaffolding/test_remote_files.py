"""Files of a bucket as the source of a new domain."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.extract.fetch_files import fetch_files
from ingestion.files.file_resource import FileResource
from scaffolding.errors import ScaffoldingError
from scaffolding.profile import profile
from scaffolding.remote_files import SAMPLES, declare_locations, fetch_samples, is_location
from scaffolding.render import render
from settings import Settings
from tests.servers.s3 import BUCKET, Bucket, s3

URL = "SLUICE_SHOP_FILES_URL"


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with s3() as bucket:
        for month in range(1, SAMPLES + 3):
            rows = "".join(f"{month}{number:02},{number}.50,2024-{month:02}-01\n" for number in range(30))
            bucket.put(f"daily/2024/{month:02}/orders.csv", f"id,amount,day\n{rows}")
        bucket.put("daily/customers.csv", "customer,city\n" + "".join(f"{n},Kiel\n" for n in range(30)))
        bucket.put("daily/_SUCCESS", "")
        yield bucket


@pytest.fixture
def bucket(server: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**server.variables, URL: f"s3://{BUCKET}/daily"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("location", [URL, f"s3://{BUCKET}/daily"])
def test_what_is_written_fetches_the_files(location: str, tmp_path: Path, settings: Settings) -> None:
    assert is_location(location)
    samples = fetch_samples(location, tmp_path)
    found = profile("shop", [*map(Path, samples)])
    declare_locations(found, samples)
    assert {entity.name: (entity.source, entity.rows) for entity in found.entities} == {
        "orders": (f"RemoteFiles({location!r})", 30 * SAMPLES),
        "customers": (f"RemoteFiles({location!r})", 30),
    }
    module: dict = {}
    exec(render(found, {})["ingestion/sources/shop.py"], module)
    resources: tuple[FileResource, ...] = module["RESOURCES"]
    fetched = {
        resource.entity: [each.status for each in fetch_files(resource, settings)] for resource in resources
    }
    assert fetched == {"orders": ["loaded"] * (SAMPLES + 2), "customers": ["loaded"]}


@pytest.mark.usefixtures("bucket")
def test_a_pattern_names_some_of_the_files(tmp_path: Path) -> None:
    samples = fetch_samples(f"s3://{BUCKET}/daily/cust*.csv", tmp_path)
    assert samples == {str(tmp_path / "customers.csv"): f"s3://{BUCKET}/daily"}


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("location", "message"),
    [
        (f"s3://{BUCKET}/daily/invoices*.csv", "has no file invoices"),
        ("s3://nowhere/daily", "s3://nowhere/daily cannot be read: The specified bucket does not exist"),
        ("sftp://me:swordfish@127.0.0.1/daily", "a URL with a password belongs into an environment variable"),
    ],
)
def test_a_location_without_files_is_refused(location: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScaffoldingError, match=message) as raised:
        fetch_samples(location, tmp_path)
    assert "swordfish" not in str(raised.value)
