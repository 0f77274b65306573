"""The sales DAG under a real scheduler and triggerer: files that arrive in any way, and the messages about runs."""

import gzip
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from samples.sales import write_sales
from tests.end_to_end.airflow import Airflow, airflow
from tests.end_to_end.conftest import Checkout
from tests.end_to_end.sales import HEADER, LINE, archived, drop, landing
from tests.receivers import SECRET_PATH, Mailbox, Webhook

pytestmark = pytest.mark.long

LINES = 40
# Name → content, and a part of the reason.
BROKEN = {
    "columns.csv": (
        b"date,shop\n2024-03-01,north\n",
        "columns are missing: store, product_id, quantity, price",
    ),
    "empty.csv": (b"", "empty"),
    "cut.csv.gz": (gzip.compress(f"{HEADER}\n{LINE}\n".encode() * 99)[:-20], "gz"),
}
EVENTS = "asset_triggered"


@pytest.fixture(scope="module")
def running(shop: Checkout) -> Iterator[Airflow]:
    """An Airflow that watches the landing folder, after a run from a shell."""
    drop(shop, "first.csv", LINE)
    done = shop.run("run", "sales")
    assert done.returncode == 0, done.stdout + done.stderr
    with airflow(shop, "sales") as running:
        running.switch("sales", on=True)
        watched = "select * from trigger where classpath like '%LandingTrigger' and triggerer_id is not null"
        running.until(lambda: database(shop, watched) != [])
        yield running


def database(shop: Checkout, sql: str, *parameters: str) -> list[tuple]:
    """Return rows of Airflow's database; none while there is no such table."""
    path = shop.settings.airflow_home / "airflow.db"
    with suppress(sqlite3.OperationalError), sqlite3.connect(path, timeout=30) as connection:
        return connection.execute(sql, parameters).fetchall()
    return []


def runs(shop: Checkout, run_type: str = EVENTS) -> list[str]:
    """Return the states of the runs of a type, in their order."""
    return [
        state
        for (state,) in database(shop, "select state from dag_run where run_type = ? order by id", run_type)
    ]


def all_ended(shop: Checkout) -> bool:
    """Whether the landing folder is empty, every run has ended, and every event has had its run."""
    under_way = "select * from dag_run where state in ('queued', 'running')"
    waiting = "select * from asset_dag_run_queue"
    return (
        bool(runs(shop))
        and landing(shop) == []
        and not database(shop, under_way)
        and not database(shop, waiting)
    )


def mapped_states(shop: Checkout) -> dict[str, str]:
    """Return the last state of the task of each file, over all runs."""
    found = database(
        shop,
        "select rendered_map_index, state from task_instance where task_id = 'ingest_sales' and map_index >= 0 "
        "and state <> 'skipped'",
    )
    assert len(found) == len(dict(found))
    return dict(found)


def test_ten_files_arrive_of_which_three_are_broken(
    shop: Checkout, running: Airflow, told: tuple[Mailbox, Webhook], tmp_path: Path
) -> None:
    made = write_sales(tmp_path, rows=7 * LINES, days=7, defects={"bad_price": 3, "cut_off": 2})
    contents = {path.name: path.read_bytes() for path in made.files}
    folder = shop.settings.landing("sales")
    folder.mkdir(parents=True, exist_ok=True)
    before = datetime.now(UTC)
    for name, content in contents.items() | {name: content for name, (content, _) in BROKEN.items()}.items():
        (folder / name).write_bytes(content)
    running.until(lambda: all_ended(shop))

    assert contents.items() <= archived(shop).items()
    failed = {path.name: path for path in (folder / "failed").iterdir() if not path.name.startswith("bad")}
    assert failed.keys() == {*BROKEN, *(f"{name}.reason.txt" for name in BROKEN)}
    for name, (content, reason) in BROKEN.items():
        assert failed[name].read_bytes() == content
        assert reason in failed[f"{name}.reason.txt"].read_text()
    states = dict.fromkeys(contents, "success") | dict.fromkeys(BROKEN, "failed")
    found = mapped_states(shop)
    assert {name: found.get(name) for name in states} == states
    assert set(runs(shop)) == {"success"}

    published = shop.settings.published("sales")
    sums = "sum(rows_read)::int, sum(rows_clean)::int, sum(rows_quarantined)::int, sum(rows_rejected)::int"
    files = "from marts.audit_sales__row_counts where starts_with(source_file, 'sales_2024-01-')"
    assert shop.query(f"select {sums} {files}", published) == [
        (made.lines, made.clean, made.quarantined, made.rejected)
    ]
    assert shop.query("select count(*) from marts.dim_catalogue_products", published) == [(201,)]

    # An event for each file, within a minute, by Airflow's own account.
    events = database(
        shop, "select timestamp, extra from asset_event where extra like '%from_trigger%' order by id"
    )
    announced = " ".join(extra for _, extra in events)
    assert all(name in announced for name in states)
    last = datetime.fromisoformat(events[-1][0]).replace(tzinfo=UTC)
    assert (last - before).total_seconds() < 60

    # One message, though three tasks failed in a run.
    box, hook = told
    texts = [text for text in hook.texts if "columns.csv" in text]
    assert len(texts) == 1
    lines = texts[0].splitlines()
    assert lines[0] == "sales partial (dev)"
    assert lines[1].startswith("run: asset_triggered__")
    for name, (_, reason) in BROKEN.items():
        assert any(line.startswith(f"ingest_sales_{name}: {name}: ") and reason in line for line in lines)
    assert any(line.startswith("published now: ") and str(published) in line for line in lines)
    assert any(
        line.startswith("Airflow: http://127.0.0.1:") and "/dags/sales/runs/asset_" in line for line in lines
    )
    assert texts[0].splitlines() in [mail.get_content().splitlines() for mail in box.mails]


def test_a_file_that_is_written_slowly_is_loaded_once_and_whole(
    shop: Checkout, running: Airflow, told: tuple[Mailbox, Webhook]
) -> None:
    box, hook = told
    sent = len(hook.texts)
    count = len(runs(shop))
    with (shop.settings.landing("sales") / "slow.csv").open("w") as file:
        file.write(f"{HEADER}\n")
        for _ in range(10):
            file.write(f"{LINE}\n")
            file.flush()
            time.sleep(1)
            assert "slow.csv" in landing(shop)
    running.until(lambda: len(runs(shop)) > count and all_ended(shop))
    loaded = "select status, rows_read from raw_sales.file_loads where source_file = 'slow.csv'"
    assert shop.query(loaded) == [("loaded", 10)]
    assert mapped_states(shop)["slow.csv"] == "success"
    assert shop.query("select tries from raw_ops.stages where stage = 'ingest_sales_slow.csv'") == [(1,)]
    assert archived(shop)["slow.csv"].count(b"\n") == 11
    assert [text.splitlines()[0] for text in hook.texts[sent:]] == ["sales success (dev)"]
    assert len(box.mails) == len(hook.texts)


def test_a_run_by_hand_without_a_file_is_skipped_and_not_told(
    shop: Checkout, running: Airflow, told: tuple[Mailbox, Webhook]
) -> None:
    _, hook = told
    sent = list(hook.texts)
    before = shop.settings.published("sales").read_bytes()
    count = len(runs(shop, "manual"))
    running.trigger("sales")
    running.until(lambda: runs(shop, "manual") == ["success"] * (count + 1))
    states = shop.task_tries()
    assert states["files_loaded"][0] == states["publish"][0] == "skipped"
    assert shop.settings.published("sales").read_bytes() == before
    assert hook.texts == sent
    assert shop.query("select status from raw_ops.runs order by started_at desc limit 1") == [("skipped",)]
    # Nor did a run fail that the clock started, if there was one.
    assert database(shop, "select distinct state from dag_run") == [("success",)]


def test_what_was_loaded_and_not_published_is_published_by_the_next_run(
    shop: Checkout, running: Airflow
) -> None:
    running.switch("sales", on=False)
    drop(shop, "left.csv", LINE.replace("north", "left"))
    loaded = shop.run("load", "sales", "--entity", "sales")
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    count = len(runs(shop, "manual"))
    running.switch("sales", on=True)
    running.trigger("sales")
    running.until(lambda: runs(shop, "manual") == ["success"] * (count + 1))
    states = shop.task_tries()
    assert (states["ingest_sales"][0], states["publish"][0]) == ("skipped", "success")
    files = "select rows_clean from marts.audit_sales__row_counts where source_file = 'left.csv'"
    assert shop.query(files, shop.settings.published("sales")) == [(1,)]


def test_asset_events_of_a_paused_dag_can_be_dropped(shop: Checkout, running: Airflow) -> None:
    running.switch("sales", on=False)
    running.client.drop_asset_events("sales")  # there are none
    with sqlite3.connect(shop.settings.airflow_home / "airflow.db", timeout=30) as connection:
        connection.execute(
            "insert into asset_dag_run_queue select id, 'sales', current_timestamp from asset where uri = 'sluice://landing/sales'"
        )
    assert len(database(shop, "select * from asset_dag_run_queue")) == 1
    running.client.drop_asset_events("sales")
    assert database(shop, "select * from asset_dag_run_queue") == []
    running.switch("sales", on=True)


def test_the_dags_are_read_again_after_a_change_of_a_source(shop: Checkout, running: Airflow) -> None:
    def parsed() -> str:
        return next(dag["last_parsed_time"] for dag in running.client.dags() if dag["dag_id"] == "sales")

    before = parsed()
    (shop.path / "ingestion" / "sources" / "sales.py").touch()
    running.until(lambda: parsed() > before)


def test_no_secret_is_in_a_log(shop: Checkout, running: Airflow) -> None:
    logs = [path for path in shop.settings.airflow_home.rglob("*.log") if path.is_file()]
    assert logs
    assert [path for path in logs if SECRET_PATH in path.read_text(errors="replace")] == []
