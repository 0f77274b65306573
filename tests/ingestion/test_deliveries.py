"""What counts as a delivery, what is refused and named, and in which order files are loaded."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import settings as project_settings
from common.text import printable
from ingestion.files.delivery import is_delivery, order_of
from ingestion.load import load_domain
from ingestion.results import FilesFailedError, LoadSummary
from settings import Settings
from tests.ingestion.conftest import Query, query_of

ORDERS = "order_id,customer_id,product_id,quantity,unit_price,order_date,status\n"
SALES = "date,store,product_id,quantity,price\n"
FORMS = "deliver it as .csv, .tsv or .jsonl (each also packed as .gz), .parquet, .xlsx or .zip"
LATIN1 = os.fsdecode("orders_café.csv".encode("latin-1"))


def order(number: int) -> str:
    return f"{ORDERS}O-{number},C1,P1,1,10.00,2024-05-0{number},placed\n"


def load(domain: str, settings: Settings, **options) -> LoadSummary:
    try:
        return load_domain(domain, settings, **options)
    except FilesFailedError as error:
        return error.summary


def outcomes(summary: LoadSummary) -> dict[str, str]:
    return {result.name: result.reason or result.status for result in summary.results}


def put_odd_things(landing: Path, content: str) -> dict[str, str]:
    """Put what cannot be loaded into a landing folder; return the expected reason for each name."""
    outside = landing.parent / "outside.csv"
    outside.write_text(content)
    (landing / "orders_link.csv").symlink_to(outside)
    (landing / "orders_lost.csv").symlink_to(landing.parent / "nowhere.csv")
    os.mkfifo(landing / "orders_pipe.csv")
    (landing / "orders_folder.csv").mkdir()
    (landing / "2024-05").mkdir()
    # The path of a socket is short.
    with contextlib.chdir(landing), socket.socket(socket.AF_UNIX) as listening:
        listening.bind("orders_socket.csv")
    for name in (
        "orders_1.csv.zip",
        "orders_2.XLSX",
        "orders_3.jsonl",
        "orders_4.csv.zst",
        "orders_5.json",
        "orders",
    ):
        (landing / name).write_text(content)
    (landing / LATIN1).write_text(content)
    (landing / "orders_\x1b[31m.csv").write_text(content)
    (landing / "orders_two\nlines.csv").write_text(content)
    link = "it is a link and not a file; deliver the file itself"
    folder = f"it is a folder and not a file; put its files into {landing}"
    special = "it is a pipe, socket or device and not a file; deliver the file itself"
    control = "its name has a control character, such as a line end; rename it"
    return {
        "orders_link.csv": link,
        "orders_lost.csv": link,
        "orders_pipe.csv": special,
        "orders_socket.csv": special,
        "orders_folder.csv": folder,
        "2024-05": folder,
        "orders_1.csv.zip": "it is not a zip archive, or its end is missing",
        "orders_2.XLSX": "it is not an Excel workbook (.xlsx), or it is damaged",
        "orders_3.jsonl": "none of its lines is a JSON object with fields",
        "orders_4.csv.zst": f"files with the suffix .zst are not taken; {FORMS}",
        "orders_5.json": f"files with the suffix .json are not taken; {FORMS}",
        "orders": f"files without a suffix are not taken; {FORMS}",
        "orders_caf\\xe9.csv": "its name is not UTF-8; rename it",
        "orders_\\x1b[31m.csv": control,
        "orders_two\\x0alines.csv": control,
    }


SILENT = (
    ".hidden.csv",
    "orders_9.csv.part",
    "orders_9.csv.filepart",
    "orders_9.CSV.TMP",
    "orders_1.csv.done",
)
# Names that a glob pattern, SQL or a printf would read in their own way.
NAMES = (
    "orders_2.csv",
    "orders_[2].csv",
    "orders_?.csv",
    "orders_*.csv",
    "orders_\\[2].csv",
    "orders_it's 100%s.csv",
)


class Landed:
    """An ecommerce landing folder with good and odd deliveries, loaded twice."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder / "data", file_stable_seconds=0)
        landing = self.settings.landing("ecommerce")
        landing.mkdir(parents=True)
        self.reasons = put_odd_things(landing, order(9))
        for name in SILENT:
            (landing / name).write_text(order(9))
        for number, name in enumerate(NAMES, 1):
            (landing / name).write_text(order(number))
        self.first = load("ecommerce", self.settings)
        self.second = load("ecommerce", self.settings)
        self.query: Query = query_of(self.settings)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landed]:
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("SLUICE_DATA_DIR", raising=False)
        yield Landed(tmp_path_factory.mktemp("landed"))


def test_each_file_brings_its_own_rows_whatever_its_name(landed: Landed) -> None:
    rows = landed.query("select _source_file, order_id from raw_ecommerce.orders")
    assert dict(rows) == {name: f"O-{number}" for number, name in enumerate(NAMES, 1)}
    loaded = landed.query(
        "select source_file, rows_read from raw_ecommerce.file_loads where status = 'loaded'"
    )
    assert dict(loaded) == dict.fromkeys(NAMES, 1)


def test_what_cannot_be_loaded_is_named_with_its_reason(landed: Landed) -> None:
    assert outcomes(landed.first) == landed.reasons | dict.fromkeys(NAMES, "loaded")
    assert outcomes(landed.second) == landed.reasons | dict.fromkeys(NAMES, "skipped")
    failed = landed.query("select source_file, reason from raw_ecommerce.file_loads where status = 'failed'")
    assert len(failed) == len(landed.reasons)
    assert dict(failed) == landed.reasons


def test_the_summary_has_one_printable_line_for_each_file(landed: Landed) -> None:
    text = str(landed.first)
    assert text.isascii()
    assert "\x1b" not in text
    assert len(text.splitlines()) == len(landed.first.results) + 1


def test_sales_move_what_cannot_be_loaded_and_load_the_rest(settings: Settings, query: Query) -> None:
    settings = Settings(data_dir=settings.data_dir, file_stable_seconds=0)
    landing = settings.landing("sales")
    landing.mkdir(parents=True)
    reasons = put_odd_things(landing, f"{SALES}2024-05-01,North,P1,1,4.50\n")
    (landing / "zz_good.csv").write_text(f"{SALES}2024-05-01,North,P2,1,4.50\n")
    summary = load("sales", settings, entities=["sales"])
    assert outcomes(summary) == reasons | {"zz_good.csv": "loaded"}
    assert query("select product_id from raw_sales.sales") == [("P2",)]
    failed = {path.name for path in (landing / "failed").iterdir()}
    given = {printable(name).removesuffix(".reason.txt") for name in failed if name.endswith(".reason.txt")}
    assert given == {*reasons}
    assert len(failed) == 2 * len(reasons)
    assert (landing / "failed" / f"{LATIN1}.reason.txt").read_text() == "its name is not UTF-8; rename it\n"
    assert [path.name for path in landing.iterdir()] == ["failed"]
    assert [path.name for path in settings.archive("sales").glob("*/*")] == ["zz_good.csv"]
    assert load("sales", settings, entities=["sales"]).results == ()


def test_files_are_ordered_as_people_number_them() -> None:
    names = [
        "orders_10.csv",
        "orders_9.csv",
        "orders_9b.csv",
        "orders.csv",
        "orders_2024-10-2.csv",
        "orders_٣.csv",
        "10",
    ]
    assert sorted(names, key=order_of) == [
        "10",
        "orders.csv",
        "orders_٣.csv",
        "orders_9.csv",
        "orders_9b.csv",
        "orders_10.csv",
        "orders_2024-10-2.csv",
    ]


def test_names_of_uploads_are_no_deliveries() -> None:
    assert not [name for name in (*SILENT, "a.csv~", "a.crdownload", "failed") if is_delivery(Path(name))]
    assert all(is_delivery(Path(name)) for name in ("a.csv", "a.done.csv", "README", "failed.csv"))


def test_a_time_that_lies_ahead_holds_no_file_up(settings: Settings, query: Query) -> None:
    for seconds in (0, 1):
        own = Settings(data_dir=settings.data_dir, file_stable_seconds=seconds)
        path = own.landing("sales") / f"{seconds}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{SALES}2024-05-01,North,P{seconds},1,4.50\n")
        os.utime(path, (4e9, 4e9))
        assert outcomes(load("sales", own, entities=["sales"])) == {f"{seconds}.csv": "loaded"}


@pytest.mark.parametrize(
    "folder", ["o'neil data", "a[1]", "50%", "key=value", "a?b", "a#b", "two\nlines", "{x}", "a\\b", '"']
)
def test_a_data_folder_whose_path_libraries_would_not_take_is_refused(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path / folder))
    with pytest.raises(project_settings.SettingsError, match="^SLUICE_DATA_DIR: must be a folder") as caught:
        project_settings.load()
    assert printable(folder) in str(caught.value)
    assert not list(tmp_path.iterdir())
