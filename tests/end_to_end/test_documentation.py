"""What stands after a run of every pipeline: the documentation of the models, and the health of the pipelines."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from bench.browser import chromium, launched
from local_airflow.processes import free_port
from samples.apis.server import SampleApis, serving
from samples.apis.variables import variables
from tests.end_to_end.airflow import airflow
from tests.end_to_end.conftest import Checkout

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def ran(checkout: Checkout) -> Checkout:
    """The checkout after a run of every pipeline on few samples."""
    for samples in (
        ["collisions", "--rows", "500"],
        ["ecommerce", "--orders", "5000"],
        ["taxi", "--months", "2024-01", "--rows", "4000"],
        ["sales", "--days", "2"],
    ):
        made = checkout.run("samples", *samples)
        assert made.returncode == 0, made.stderr
    with serving(SampleApis(products=50, articles=50)) as base:
        checkout.variables = variables(base)
        done = checkout.run("airflow", "run", timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


@contextmanager
def served(project: Path) -> Iterator[str]:
    """Serve the documentation as a person does in the folder of the dbt project; give its address."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "docs",
        "serve",
        "--no-browser",
        "--port",
        str(port),
    ]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not _answers(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def shows_exposures(page: Page, address: str) -> None:
    """Wait for the list of exposures, and look at one."""
    page.goto(f"{address}#!/exposure/exposure.sluice.page_ecommerce")
    page.get_by_text("Online shop team").wait_for()
    page.get_by_text("agg_daily_order_revenue_by_region").first.wait_for()


def test_it_is_generated_and_shows_what_reads_the_marts(ran: Checkout) -> None:
    target = ran.path / "dbt_project" / "target"
    catalog = json.loads((target / "catalog.json").read_text())
    published = {node["metadata"]["name"] for node in catalog["nodes"].values()}
    assert {"fct_collisions", "fct_orders", "fct_store_sales", "fct_trips", "fct_articles"} <= published
    if not chromium():
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with airflow(ran, "ecommerce") as running, launched() as browser:
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        with served(ran.path / "dbt_project") as by_hand:
            shows_exposures(page, by_hand)
        running.log_in(page)
        plugins = running.client.call("GET", "/plugins")["plugins"]
        links = {view["name"]: view["href"] for plugin in plugins for view in plugin["external_views"]}
        shows_exposures(page, running.client.url + links["dbt docs"])
        assert errors == []


def test_the_health_of_all_pipelines_is_published(ran: Checkout) -> None:
    names = ("collisions", "ecommerce", "news", "sales", "taxi")
    runs = "select pipeline, state, queued_at is not null as airflow_knows_it from marts.fct_pipeline_runs order by all"
    assert ran.query(runs, ran.settings.published("health")) == [(name, "success", True) for name in names]
    days = "select distinct domain from marts.agg_platform_day order by 1"
    assert ran.query(days, ran.settings.published("overview")) == [(name,) for name in names]
