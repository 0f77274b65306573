"""Files that leave the landing folder: when they are taken, where they go, and what a kill leaves."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingestion.files.landing import is_complete, move_to_archive, move_to_rejected
from ingestion.load import load_domain
from ingestion.loader.loader import Loader
from ingestion.results import FilesFailedError
from settings import Settings
from tests.ingestion.conftest import Query
from tests.kill_at import Point, named, run_to_death

HEADER = "date,store,product_id,quantity,price"
LINE = "2024-05-01,north,1,2,9.99"
ROWS = "select _source_file, quantity from raw_sales.sales order by all"
LOADED = "select source_file, rows_read from raw_sales.file_loads where status = 'loaded' order by all"


def drop(settings: Settings, name: str, *lines: str, header: str = HEADER) -> Path:
    """Put a complete file into landing."""
    path = settings.landing("sales") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in (header, *lines)))
    path.with_name(f"{name}.done").touch()
    return path


def load(settings: Settings, **options) -> dict[str, str]:
    """Status of each file, or why it failed or was left."""
    try:
        summary = load_domain("sales", settings, entities=["sales"], **options)
    except FilesFailedError as error:
        summary = error.summary
    return {file.name: file.reason or file.status for file in summary.results}


def tree(folder: Path) -> dict[str, str]:
    """Every file of a folder with its content."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def text(*lines: str, header: str = HEADER) -> str:
    return "".join(f"{line}\n" for line in (header, *lines))


def day() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def test_a_loaded_file_goes_to_the_archive_and_a_broken_one_to_failed_with_the_reason(
    settings: Settings, query: Query
) -> None:
    drop(settings, "a.csv", LINE)
    drop(settings, "columns.csv", "2024-05-01,1", header="date,quantity")
    drop(settings, "empty.csv", header="")
    (settings.landing("sales") / "bytes.csv.gz").write_bytes(b"no gzip")
    (settings.landing("sales") / "bytes.csv.gz.done").touch()
    statuses = load(settings)
    assert statuses.pop("a.csv") == "loaded"
    assert statuses["columns.csv"] == "columns are missing: store, product_id, price"
    assert set(failed_names(settings)) == {*statuses, *(f"{name}.reason.txt" for name in statuses)}
    for name, reason in statuses.items():
        assert (settings.landing("sales") / "failed" / f"{name}.reason.txt").read_text() == f"{reason}\n"
    assert tree(settings.archive("sales")) == {f"{day()}/a.csv": text(LINE)}
    assert query(ROWS) == [("a.csv", "2")]


def failed_names(settings: Settings) -> list[str]:
    assert [path.name for path in settings.landing("sales").iterdir()] == ["failed"]
    return [path.name for path in (settings.landing("sales") / "failed").iterdir()]


def test_unchanged_content_is_archived_once_and_new_content_replaces_rows_and_no_file(
    settings: Settings, query: Query
) -> None:
    drop(settings, "a.csv", LINE)
    load(settings)
    drop(settings, "a.csv", LINE)
    assert load(settings) == {"a.csv": "skipped"}
    assert tree(settings.archive("sales")) == {f"{day()}/a.csv": text(LINE)}
    new = LINE.replace(",2,", ",3,")
    drop(settings, "a.csv", new)
    assert load(settings) == {"a.csv": "replaced"}
    assert query(ROWS) == [("a.csv", "3")]
    kept = tree(settings.archive("sales"))
    assert sorted(kept.values()) == [text(LINE), text(new)]
    drop(settings, "a.csv", new)
    assert load(settings) == {"a.csv": "skipped"}
    assert tree(settings.archive("sales")) == kept
    assert tree(settings.landing("sales")) == {}


def test_a_file_loaded_on_an_earlier_day_goes_to_the_folder_of_that_day(
    settings: Settings, query: Query
) -> None:
    drop(settings, "a.csv", LINE)
    load(settings)
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        warehouse.execute("update raw_sales.file_loads set loaded_at = '2024-05-02 23:30:00+00'")
    drop(settings, "a.csv", LINE)
    load(settings)
    assert "2024-05-02/a.csv" in tree(settings.archive("sales"))


def test_two_broken_files_of_one_name_are_both_kept(settings: Settings) -> None:
    for columns in ("one", "two"):
        drop(settings, "a.csv", "1", header=columns)
        load(settings)
    failed = tree(settings.landing("sales") / "failed")
    assert len(failed) == 4
    assert {"one\n1\n", "two\n1\n"} < set(failed.values())


def test_a_mended_file_is_loaded_under_its_name(settings: Settings, query: Query) -> None:
    drop(settings, "a.csv", "1", header="one")
    load(settings)
    drop(settings, "a.csv", LINE)
    assert load(settings) == {"a.csv": "loaded"}
    assert query(LOADED) == [("a.csv", 1)]


def test_a_file_that_is_being_written_is_waited_for_and_loaded_whole(
    settings: Settings, query: Query
) -> None:
    quick = Settings(data_dir=settings.data_dir, env=settings.env, file_stable_seconds=2.0)
    settings.landing("sales").mkdir(parents=True)
    path = settings.landing("sales") / "slow.csv"
    written = threading.Event()

    def write() -> None:
        with path.open("w") as file:
            for line in (HEADER, LINE, LINE):
                file.write(f"{line}\n")
                file.flush()
                written.set()
                time.sleep(0.3)

    writer = threading.Thread(target=write)
    writer.start()
    written.wait()
    missing = f"it is not in {settings.landing('sales')}"
    assert load(quick, files=["slow.csv", "gone.csv"]) in (
        {"slow.csv": "loaded", "gone.csv": missing},
        {"slow.csv": "it is being written", "gone.csv": missing},
    )
    writer.join()
    assert set(load(quick).values()) <= {"loaded"}
    assert query(LOADED) == [("slow.csv", 2)]


def test_what_is_still_being_written_is_left(settings: Settings) -> None:
    quick = Settings(data_dir=settings.data_dir, env=settings.env, file_stable_seconds=1.0)
    settings.landing("sales").mkdir(parents=True)
    path = settings.landing("sales") / "slow.csv"
    stop = threading.Event()

    def write() -> None:
        with path.open("w") as file:
            while not stop.wait(0.05):
                file.write(f"{LINE}\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    while not path.exists():
        time.sleep(0.01)
    assert load(quick) == {"slow.csv": "it is being written"}
    stop.set()
    writer.join()
    assert path.exists()


def test_a_marker_says_at_once_that_a_file_is_complete_unless_it_is_older(tmp_path: Path) -> None:
    path, marker = tmp_path / "a.csv", tmp_path / "a.csv.done"
    path.touch()
    assert not is_complete(path, 3600)
    assert is_complete(path, 0)
    marker.touch()
    assert is_complete(path, 3600)
    # A copy that keeps an old time of its content, under way.
    marker.unlink()
    os.utime(path, (0, 0))
    assert not is_complete(path, 3600)
    marker.touch()
    os.utime(marker, (0, 0))
    path.write_text("new content, on the way")
    assert not is_complete(path, 3600)
    assert not is_complete(tmp_path / "gone.csv", 0)


def test_new_content_that_comes_while_the_old_one_is_loaded_is_not_archived(
    settings: Settings, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(settings, "a.csv", LINE)
    load_file = Loader.load

    def overtaken(self, *arguments, **options):
        result = load_file(self, *arguments, **options)
        path.write_text(text(LINE, LINE))
        return result

    with monkeypatch.context() as patched:
        patched.setattr(Loader, "load", overtaken)
        assert load(settings) == {"a.csv": "it changed while it was loaded; the next run loads it"}
    assert tree(settings.archive("sales")) == {}
    path.with_name("a.csv.done").touch()
    assert load(settings) == {"a.csv": "replaced"}
    assert query(LOADED) == [("a.csv", 2)]


POINTS = [
    ("ingestion.loader.loader:Loader.load", "after", 1),
    ("ingestion.files.load_files:move_to_archive", "before", 1),
    ("pathlib:Path.replace", "before", 1),
    ("pathlib:Path.replace", "after", 1),
    ("ingestion.files.load_files:move_to_archive", "after", 1),
    ("ingestion.files.load_files:move_to_rejected", "before", 1),
    ("ingestion.files.landing:move_to_archive", "before", 1),
    ("ingestion.files.load_files:move_to_rejected", "after", 1),
]


@pytest.mark.parametrize("point", POINTS, ids=named)
def test_a_kill_between_load_and_archive_loses_and_doubles_nothing(
    point: Point, settings: Settings, query: Query
) -> None:
    drop(settings, "a.csv", LINE)
    drop(settings, "b.csv", "1", header="one")
    drop(settings, "c.csv", LINE, LINE)
    run_to_death(point, settings, "cli", "load", "sales", "--entity", "sales")
    for path in settings.landing("sales").glob("*.csv"):
        path.with_name(f"{path.name}.done").touch()
    load(settings)
    assert query(LOADED) == [("a.csv", 1), ("c.csv", 2)]
    assert query(ROWS) == [("a.csv", "2"), ("c.csv", "2"), ("c.csv", "2")]
    assert tree(settings.archive("sales")) == {
        f"{day()}/a.csv": text(LINE),
        f"{day()}/c.csv": text(LINE, LINE),
    }
    reason = "none of the known columns is in its header: one\n"
    assert tree(settings.landing("sales")) == {
        "failed/b.csv": "one\n1\n",
        "failed/b.csv.reason.txt": reason,
    }


def test_files_with_the_longest_names_leave_landing(tmp_path: Path) -> None:
    name = f"{'a' * 251}.csv"
    path = tmp_path / name
    path.write_text("x")
    assert move_to_archive(path, tmp_path / "archive", "").name == name
    path.write_text("y")
    refused = move_to_rejected(path, "no columns", "")
    assert refused.read_text() == "y"
    (reason,) = refused.parent.glob("aaa*.reason.txt")
    assert reason.read_text() == "no columns\n"
