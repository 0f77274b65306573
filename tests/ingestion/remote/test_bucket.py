"""Files of a bucket, from a server of the S3 API to the raw table."""

import os
import signal
import socket
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from threading import Thread

import pytest
import s3fs

from ingestion.extract.fetch_files import fetch_files
from ingestion.extract.remote_folder import TIME_LIMITS
from ingestion.files.file_resource import FileResource
from ingestion.files.landing import list_deliveries
from ingestion.remote_files import RemoteFiles
from settings import Settings
from tests.forks import run_in_fork
from tests.ingestion.conftest import Query
from tests.ingestion.declared import declare, load
from tests.ingestion.documented import documented
from tests.ingestion.remote.conftest import URL, Load, invoices
from tests.kill_at import arm
from tests.servers.s3 import BUCKET, Bucket, s3

ROWS = "select id, amount, _source_file from raw_ecommerce.invoices order by 1, 3"


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with s3() as bucket:
        yield bucket


@pytest.fixture
def bucket(server: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    server.clear()
    for name, value in {**server.variables, URL: f"s3://{BUCKET}/exports/"}.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the objects that were read."""
    names: list[str] = []
    original = s3fs.S3FileSystem._get_file

    async def get(self: s3fs.S3FileSystem, rpath: str, *arguments: object, **options: object) -> None:
        names.append(rpath.rpartition("/")[2])
        await original(self, rpath, *arguments, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_get_file", get)
    return names


def test_only_new_and_changed_objects_are_read(
    bucket: Bucket, run: Load, query: Query, read: list[str]
) -> None:
    bucket.put("exports/invoices_1.csv", "id,amount\n1,9.50\n")
    bucket.put("exports/2024/05/invoices.csv", "id,amount\n2,3\n")
    bucket.put("exports/notes.txt", "no invoices")
    bucket.put("elsewhere/invoices_9.csv", "id,amount\n9,9\n")
    both = ["invoices_1.csv", "2024__05__invoices.csv"]
    assert run() == dict.fromkeys(both, "loaded")
    assert run() == dict.fromkeys(both, "skipped")
    assert sorted(read) == ["invoices.csv", "invoices_1.csv"]
    bucket.put("exports/invoices_1.csv", "id,amount\n1,8.50\n")
    bucket.remove("exports/2024/05/invoices.csv")
    assert run() == {"invoices_1.csv": "replaced", "2024__05__invoices.csv": "skipped"}
    assert read[2:] == ["invoices_1.csv"]
    # What is removed in the bucket stays, as what is removed in the landing folder.
    assert query(ROWS) == [("1", "8.50", "invoices_1.csv"), ("2", "3", "2024__05__invoices.csv")]


def test_a_bad_object_does_not_stop_the_others(bucket: Bucket, run: Load, query: Query) -> None:
    bucket.put("exports/a_invoices.csv", "id,amount\n1,1\n", StorageClass="GLACIER")
    bucket.put("exports/invoices.json", "{}")
    bucket.put("exports/x/invoices.csv", "id,amount\n2,2\n")
    bucket.put("exports/x__invoices.csv", "id,amount\n3,3\n")
    bucket.put("exports/b\t_invoices.csv", "id,amount\n4,4\n")
    bucket.put("exports/invoices_5.csv", "id,amount\n5,5\n")
    results = run()
    assert results.pop("invoices_5.csv") == "loaded"
    assert "files with the suffix .json are not taken" in results.pop("invoices.json")
    assert "control character" in results.pop("b\\x09_invoices.csv")
    assert "2 files have this name in landing" in results.pop("x__invoices.csv")
    archived = results.pop("a_invoices.csv")
    assert archived.startswith(f"a_invoices.csv of {URL} cannot be fetched: ")
    assert not results
    assert query(ROWS) == [("5", "5", "invoices_5.csv")]


def test_a_key_leads_to_no_other_folder(
    bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("exports/../../invoices.csv", "id,amount\n1,1\n")
    bucket.put("exports//tmp/invoices.csv", "id,amount\n2,2\n")
    bucket.put("exports/..", "id,amount\n3,3\n")
    everything = FileResource(domain="ecommerce", entity="invoices", columns=("id",), source=RemoteFiles(URL))
    fetch_files(everything, settings)
    landing = settings.landing("ecommerce")
    files = [path for path in settings.data_dir.parent.rglob("*") if path.is_file() and path.suffix == ".csv"]
    assert files
    assert {path.parent for path in files} == {landing}


def _die(point: tuple[str, str, int]) -> None:
    arm(*point)
    with pytest.MonkeyPatch.context() as patch:
        declare(patch, invoices())
        import settings as project_settings

        load(project_settings.load())


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_leaves_no_half_file_and_loses_nothing(
    bucket: Bucket, run: Load, query: Query, settings: Settings, moment: str
) -> None:
    for number in "123":
        bucket.put(f"exports/invoices_{number}.csv", f"id,amount\n{number},1\n")
    point = ("ingestion.extract.remote_folder:RemoteFolder.fetch", moment, 2)
    status, output = run_in_fork(120, settings, _die, point)
    assert status == -signal.SIGKILL, output
    landing = settings.landing("ecommerce")
    assert [path.name for path in sorted(landing.glob("*.csv"))] == ["invoices_1.csv"]
    run()
    assert [path.name for path in list_deliveries(landing)] == [f"invoices_{number}.csv" for number in "123"]
    assert query("select id, count(*) from raw_ecommerce.invoices group by 1 order by 1") == [
        (number, 1) for number in "123"
    ]


def test_what_is_archived_after_the_load_is_not_read_again(
    bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> None:
    monkeypatch.setenv("SLUICE_FILE_STABLE_SECONDS", "0")
    declare(monkeypatch, invoices(moves_files=True))
    bucket.put("exports/invoices.csv", "id,amount\n1,1\n")
    import settings as project_settings

    assert load(project_settings.load()) == {"invoices.csv": "loaded"}
    assert load(project_settings.load()) == {}
    assert read == ["invoices.csv"]


def test_an_object_that_changes_while_it_is_read_is_left_for_the_next_run(
    bucket: Bucket, run: Load, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("exports/invoices.csv", "id,amount\n1,1\n")
    original = s3fs.S3FileSystem._get_file

    async def slowly(self: s3fs.S3FileSystem, rpath: str, lpath: str, **options: object) -> None:
        await original(self, rpath, lpath, **options)
        bucket.put("exports/invoices.csv", "id,amount\n1,2\n")

    with monkeypatch.context() as slow:
        slow.setattr(s3fs.S3FileSystem, "_get_file", slowly)
        assert run() == {
            "invoices.csv": f"invoices.csv of {URL}: it changed while it was read; the next run fetches it"
        }
    assert run() == {"invoices.csv": "loaded"}
    assert query(ROWS) == [("1", "2", "invoices.csv")]


def test_errors_name_the_setting_and_no_secret(
    bucket: Bucket, run: Load, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv(URL, "s3://nowhere/exports")
    assert run() == {URL: "its files cannot be listed: The specified bucket does not exist"}
    monkeypatch.setenv(URL, f"s3://{BUCKET}/empty")
    assert [each.reason for each in fetch_files(invoices(), settings)] == ["it has no file *invoices*"]
    monkeypatch.setenv(URL, "exports")
    assert run() == {URL: f"{URL} is not a URL such as s3://bucket/exports"}
    monkeypatch.setenv(URL, "ftp://me:swordfish@127.0.0.1/exports")
    assert run()[URL].startswith(f"{URL} begins with ftp://; taken are: file, s3,")
    monkeypatch.setenv(URL, "gs://bucket/exports")
    assert run() == {
        URL: "gs:// needs the package gcsfs: .venv/bin/uv pip install --python .venv/bin/python gcsfs"
    }
    monkeypatch.delenv(URL)
    assert run() == {URL: f"{URL} is not set: the URL of the files, such as s3://bucket/exports"}
    with pytest.raises(ValueError, match="environment variable"):
        RemoteFiles("sftp://me:swordfish@127.0.0.1/exports")


def test_a_server_that_does_not_answer_is_given_up(
    bucket: Bucket, run: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = deepcopy(TIME_LIMITS["s3"])
    limits["config_kwargs"]["read_timeout"] = 0.3
    monkeypatch.setitem(TIME_LIMITS, "s3", limits)
    requests = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        Thread(target=lambda: requests.extend(iter(silent.accept, None)), daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        (reason,) = run().values()
    assert reason.startswith("its files cannot be listed: ")
    assert 1 <= len(requests) <= 5


def test_a_folder_is_read_as_a_bucket_is(
    run: Load, query: Query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "share" / "may").mkdir(parents=True)
    (tmp_path / "share" / "may" / "invoices.csv").write_text("id,amount\n1,1\n")
    monkeypatch.setenv(URL, f"file://{tmp_path}/share")
    assert run() == {"may__invoices.csv": "loaded"}
    monkeypatch.setenv(URL, f"file://{tmp_path}/missing")
    assert "cannot be listed" in run()[URL]
    assert query(ROWS) == [("1", "1", "may__invoices.csv")]


def test_the_documented_bucket(bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_SHOP_FILES_URL", f"s3://{BUCKET}/daily")
    bucket.put("daily/2024/05/invoices.csv", "id,amount\n1,1\n")
    (fetched,) = fetch_files(documented("INVOICES"), settings)
    assert fetched.status == "loaded"
    assert (settings.landing("shop") / "2024__05__invoices.csv").read_text() == "id,amount\n1,1\n"


def test_the_credentials_are_nowhere(bucket: Bucket, run: Load, settings: Settings) -> None:
    bucket.put("exports/invoices.csv", "id,amount\n1,1\n")
    run()
    secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    assert [
        path for path in settings.data_dir.rglob("*") if path.is_file() and secret in path.read_bytes()
    ] == []
