"""Reports hold what was published, and are written whole or not at all."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.main import main
from publishing.reports import NothingPublishedError, ReportError, write_reports
from settings import PROJECT_DIR, Settings
from tests.kill_at import run_to_death

DAY = date(2024, 3, 1)
SALES, CUSTOMERS = "daily_order_revenue_2024-03-01.csv", "customer_summary_2024-03-01.csv"


MARTS = {
    "agg_daily_order_revenue": {"file": "daily_order_revenue", "order_by": ["order_date", "category"]},
    "agg_customer_summary": {"file": "customer_summary", "order_by": ["customer_id"]},
    "fct_orders": None,
}


def declare(settings: Settings, reports: dict[str, Any]) -> None:
    """Write a manifest of dbt with these marts of the shop."""
    nodes = {
        name: {
            "resource_type": "model",
            "schema": "marts",
            "alias": name,
            "tags": ["ecommerce"],
            "name": name,
            "config": {"meta": {"report": report} if report else {}},
        }
        for name, report in reports.items()
    }
    settings.manifest.parent.mkdir(parents=True, exist_ok=True)
    settings.manifest.write_text(json.dumps({"nodes": nodes}))
    # Younger than any file of the project, or dbt would write another one.
    os.utime(settings.manifest, (4e9, 4e9))


@pytest.fixture
def declared(settings: Settings) -> Settings:
    """Two reports of the shop in dbt's manifest."""
    declare(settings, MARTS)
    return settings


@pytest.fixture
def shop(declared: Settings) -> Settings:
    """Published marts of the shop, their rows in no order."""
    settings = declared
    path = settings.published("ecommerce")
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as published:
        published.execute("create schema marts")
        published.execute(
            """
            create table marts.agg_daily_order_revenue as select * from (values
                (date '2024-02-02', 'Toys', 1, 2, 9.90::decimal(12, 2), 9.90),
                (date '2024-02-01', 'Toys', 2, 3, 12.00, 6.00),
                (date '2024-02-01', 'Home, "Garden"', 1, 1, 5.50, 5.50)
            ) as sales (order_date, category, orders, quantity, revenue, average_order_value)
            """
        )
        published.execute(
            """
            create table marts.agg_customer_summary as select * from (values
                ('C2', 1, 5.50, date '2024-02-01', date '2024-02-01', null),
                ('C1', 2, 21.90, date '2024-02-01', date '2024-02-02', 1.0)
            ) as customers (
                customer_id, orders, revenue, first_order_date, last_order_date, average_days_between_orders
            )
            """
        )
    return settings


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_reports_hold_the_marts_in_order(shop: Settings) -> None:
    paths = write_reports("ecommerce", shop, day=DAY)
    assert paths == [shop.reports("ecommerce") / CUSTOMERS, shop.reports("ecommerce") / SALES]
    assert read(paths[1]) == [
        ["order_date", "category", "orders", "quantity", "revenue", "average_order_value"],
        ["2024-02-01", 'Home, "Garden"', "1", "1", "5.50", "5.50"],
        ["2024-02-01", "Toys", "2", "3", "12.00", "6.00"],
        ["2024-02-02", "Toys", "1", "2", "9.90", "9.90"],
    ]
    assert [row[0] for row in read(paths[0])] == ["customer_id", "C1", "C2"]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted([SALES, CUSTOMERS])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum(A1)", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_is_escaped(shop: Settings, text: str) -> None:
    with duckdb.connect(str(shop.published("ecommerce"))) as published:
        published.execute("update marts.agg_daily_order_revenue set category = ?, revenue = -1", [text])
    _, sales = write_reports("ecommerce", shop, day=DAY)
    assert {(row[1], row[4]) for row in read(sales)[1:]} == {(f"'{text}", "-1.00")}


def test_the_command_writes_them_for_today(shop: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    days = [datetime.now(UTC).date()]
    assert main(["reports", "ecommerce", "--json"]) == 0
    days.append(datetime.now(UTC).date())
    printed = json.loads(capsys.readouterr().out)
    assert printed["reports"][0] in [
        str(shop.reports("ecommerce") / f"customer_summary_{day.isoformat()}.csv") for day in days
    ]


def test_a_second_run_on_the_day_replaces_them(shop: Settings) -> None:
    write_reports("ecommerce", shop, day=DAY)
    with duckdb.connect(str(shop.published("ecommerce"))) as published:
        published.execute("delete from marts.agg_customer_summary where customer_id = 'C1'")
    path = write_reports("ecommerce", shop, day=DAY)[0]
    assert [row[0] for row in read(path)] == ["customer_id", "C2"]


def test_a_domain_without_reports_has_none(declared: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_reports("collisions", declared) == []
    assert main(["reports", "collisions"]) == 0
    assert "collisions has no reports" in capsys.readouterr().out


def test_nothing_published_is_an_error(declared: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NothingPublishedError, match=r"published/ecommerce\.duckdb does not exist"):
        write_reports("ecommerce", declared)
    assert main(["reports", "ecommerce"]) == 2
    assert not declared.reports("ecommerce").exists()


def test_a_mart_that_is_not_published_names_the_report(shop: Settings) -> None:
    with duckdb.connect(str(shop.published("ecommerce"))) as published:
        published.execute("drop table marts.agg_daily_order_revenue")
    with pytest.raises(ReportError, match=f"{SALES} could not be written: .*agg_daily_order_revenue"):
        write_reports("ecommerce", shop, day=DAY)
    assert [path.name for path in shop.reports("ecommerce").iterdir()] == [CUSTOMERS]


def test_a_folder_that_cannot_be_written_names_the_report(
    shop: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop.reports("ecommerce")
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    with pytest.raises(ReportError, match=f"{CUSTOMERS} could not be written"):
        write_reports("ecommerce", shop, day=DAY)
    assert main(["reports", "ecommerce"]) == 1
    assert "customer_summary" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_leaves_the_earlier_report(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (path, _) = write_reports("ecommerce", shop, day=DAY)
    before = path.read_bytes()
    # The file to write to is on a full disk.
    monkeypatch.setattr(os, "getpid", lambda: 123456)
    path.with_name(f".{CUSTOMERS}.123456.unfinished").symlink_to("/dev/full")
    monkeypatch.setattr("common.atomic_write._is_alive", lambda pid: True)
    with pytest.raises(ReportError, match=f"{CUSTOMERS} could not be written: .*No space left"):
        write_reports("ecommerce", shop, day=DAY)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == sorted([SALES, CUSTOMERS])


@pytest.mark.parametrize(
    ("target", "moment", "call", "changed"),
    [
        ("common.atomic_write:sync", "before", 1, []),
        ("pathlib:Path.replace", "before", 1, []),
        ("pathlib:Path.replace", "after", 1, [CUSTOMERS]),
        ("pathlib:Path.replace", "before", 2, [CUSTOMERS]),
        ("pathlib:Path.replace", "after", 2, [SALES, CUSTOMERS]),
    ],
)
def test_a_kill_leaves_each_report_old_or_new(
    shop: Settings, target: str, moment: str, call: int, changed: list[str]
) -> None:
    folder = shop.reports("ecommerce")
    new = {path.name: path.read_bytes() for path in write_reports("ecommerce", shop, day=DAY)}
    for name in new:
        (folder / name).write_text("old")
    run_to_death((target, moment, call), shop, "tests.reports.reporting")
    found = {name: (folder / name).read_bytes() for name in new}
    assert found == {name: new[name] if name in changed else b"old" for name in new}

    another_day = write_reports("ecommerce", shop, day=date(2024, 3, 2))
    assert sorted(folder.iterdir()) == sorted([*(folder / name for name in new), *another_day])


def test_a_kill_in_the_middle_of_a_file_leaves_the_old_one(shop: Settings) -> None:
    with duckdb.connect(str(shop.published("ecommerce"))) as published:
        published.execute(
            "insert into marts.agg_customer_summary by name "
            "select 'C' || range as customer_id, range as orders from range(1_000_000)"
        )
    folder = shop.reports("ecommerce")
    folder.mkdir(parents=True)
    (folder / CUSTOMERS).write_text("old")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.reports.reporting"],
        cwd=PROJECT_DIR,
        env=os.environ | shop.environment(),
    ) as writer:
        try:
            unfinished = folder / f".{CUSTOMERS}.{writer.pid}.unfinished"
            while not (unfinished.exists() and unfinished.stat().st_size):
                assert writer.poll() is None, "it ended before it could be killed"
                time.sleep(0.001)
            writer.send_signal(signal.SIGSTOP)
            # Its file is not removed while the process lives.
            write_reports("ecommerce", shop, day=date(2024, 3, 2))
            assert unfinished.exists()
        finally:
            writer.kill()
    assert writer.returncode == -signal.SIGKILL
    assert (folder / CUSTOMERS).read_text() == "old"
    write_reports("ecommerce", shop, day=DAY)
    assert not unfinished.exists()
    with (folder / CUSTOMERS).open() as file:
        assert sum(1 for _ in file) == 1_000_003


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_million_customers_need_little_memory(shop: Settings) -> None:
    with duckdb.connect(str(shop.published("ecommerce"))) as published:
        published.execute(
            "create or replace table marts.agg_customer_summary as "
            "select 'C' || hash(range) as customer_id, range as orders, range * 1.5 as revenue, "
            "date '2024-01-01' as first_order_date, range / 7 as average_days_between_orders "
            "from range(1_000_000)"
        )
    # getrusage would give the peak of the parent process if that was higher.
    done = subprocess.run(
        [sys.executable, "-m", "tests.reports.reporting"],
        cwd=PROJECT_DIR,
        env=os.environ | shop.environment() | {"SLUICE_MEMORY_LIMIT": "100MB"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert int(peak) < 300_000


@pytest.mark.parametrize(
    "report",
    [
        "customers",
        {"file": "customers"},
        {"file": "../customers", "order_by": ["customer_id"]},
        {"file": "customers", "order_by": "customer_id"},
        {"file": "customers", "order_by": []},
    ],
)
def test_an_invalid_declaration_names_its_model(shop: Settings, report: Any) -> None:
    declare(shop, {"agg_customer_summary": report})
    with pytest.raises(ReportError, match=r"config\.meta\.report of the model agg_customer_summary must be"):
        write_reports("ecommerce", shop, day=DAY)
