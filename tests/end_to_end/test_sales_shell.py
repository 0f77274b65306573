"""Sales files that are loaded and published from a shell."""

import os
import signal
import subprocess
import sys

import pytest

from tests.end_to_end.conftest import Checkout
from tests.end_to_end.sales import LINE, archived, drop, landing
from tests.receivers import Mailbox, Webhook

pytestmark = pytest.mark.slow


def test_the_next_run_completes_a_run_killed_between_load_and_archive(
    shop: Checkout, told: tuple[Mailbox, Webhook]
) -> None:
    _, hook = told
    line = LINE.replace("north", "late")
    drop(shop, "late_1.csv", line)
    drop(shop, "late_2.csv", line, line)
    kill = [
        sys.executable,
        "-m",
        "tests.kill_at",
        "ingestion.files.load_files:move_to_archive",
        "before",
        "2",
    ]
    killed = subprocess.run(
        [*kill, "cli", "run", "sales"],
        cwd=shop.path,
        env=shop.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert landing(shop) == ["late_2.csv", "late_2.csv.done"]
    rows = "select _source_file, count(*) from raw_sales.sales where _source_file like 'late%' group by all order by all"
    assert shop.query(rows) == [("late_1.csv", 1), ("late_2.csv", 2)]
    sent = len(hook.texts)
    done = shop.run("run", "sales")
    assert done.returncode == 0, done.stdout + done.stderr
    assert shop.query(rows) == [("late_1.csv", 1), ("late_2.csv", 2)]
    assert landing(shop) == []
    assert {"late_1.csv", "late_2.csv"} <= archived(shop).keys()
    facts = "select count(*) from marts.fct_store_sales join marts.dim_stores using (store_key) where store_name = 'late'"
    assert shop.query(facts, shop.settings.published("sales")) == [(3,)]
    assert [text.splitlines()[0] for text in hook.texts[sent:]] == ["sales success (dev)"]


def test_a_broken_file_does_not_stop_the_others(shop: Checkout) -> None:
    drop(shop, "good.csv", LINE)
    bad = drop(shop, "bad.csv")
    os.truncate(bad, 3)
    bad.with_name("bad.csv.done").touch()
    done = shop.run("run", "sales")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "bad.csv" in done.stderr
    assert "good.csv" in archived(shop)
    files = "select count(*) from marts.audit_sales__row_counts where source_file = 'good.csv'"
    assert shop.query(files, shop.settings.published("sales")) == [(1,)]
    assert (shop.settings.landing("sales") / "failed" / "bad.csv.reason.txt").exists()
