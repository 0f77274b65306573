"""Published files of real builds, a dashboard that serves them, and a browser."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page
from streamlit.testing.v1 import AppTest

from bench.browser import chromium, launched, serve, settled
from ingestion.load import load_domain
from lineage.artefact import write_lineage
from observability.health.collect import health, overview
from observability.metrics.dbt_results import keep_results
from observability.metrics.record import record
from observability.metrics.run_log import stage
from publishing.publish import publish
from samples.collisions import write_collisions
from samples.ecommerce import write_ecommerce
from samples.sales import write_sales
from samples.taxi import write_taxi
from settings import Settings
from tests.forks import run_dbt
from tests.once import once
from tests.parsed import Parsed
from transformation.dbt import UNIT_TESTS

DOMAINS = ("collisions", "ecommerce", "sales", "taxi")


@dataclass
class Dashboard:
    """A running dashboard, and the data that it shows."""

    url: str
    settings: Settings
    foreign: list[str] = field(default_factory=list)

    def query(self, domain: str, sql: str) -> pd.DataFrame:
        """Rows of a query on a published file."""
        with duckdb.connect(str(self.settings.published(domain)), read_only=True) as published:
            return published.execute(sql).df()

    def open(self, page: Page, name: str) -> None:
        """Open a page and wait until it is complete; collect its requests to other servers."""
        host = self.url.removeprefix("http://")
        page.on(
            "request", lambda request: self.foreign.append(request.url) if host not in request.url else None
        )
        page.goto(f"{self.url}/{name}")
        settled(page)


def choose(page: Page, label: str, *values: str) -> None:
    """Choose values in the filter with a label."""
    box = page.get_by_role("combobox", name=label).first
    for value in values:
        box.click()
        box.fill(value)
        page.get_by_role("option", name=value, exact=True).click()
    # Without an open list, it would clear a box that may be empty.
    if page.get_by_role("listbox").count():
        page.keyboard.press("Escape")
    settled(page)


@pytest.fixture
def page_in_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], AppTest]:
    """Make a page that runs in this process, without a browser."""
    # Streamlit runs it as `__main__` and leaves it there, where a process that is started later would run it as well.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    return lambda show: AppTest.from_function(show, default_timeout=30)


# Per module: while Playwright runs, its thread has an event loop, in which no other test can run its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not chromium():
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    yield page
    page.close()


@pytest.fixture(scope="module")
def served(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, shared_folder: Path, project: Parsed
) -> Iterator[Dashboard]:
    """The domains that need no server, built by one dbt command and published, and their health.

    All modules have copies of one data folder, since a test may publish more.
    """
    built = Settings(data_dir=shared_folder / "served" / "data", env="dev", file_stable_seconds=0.0)
    once(shared_folder / "served.json", lambda: _publish_all(project.put(built)))
    copied = built.model_copy(update={"data_dir": tmp_path_factory.mktemp("served") / "data"})
    _copy(built.data_dir, copied.data_dir)
    with serve(project.put(copied)) as url:
        yield Dashboard(url, copied)


def _copy(folder: Path, new: Path) -> None:
    """Copy a data folder with its hard links, by which the published version is known."""
    copies: dict[int, str] = {}

    def copy(source: str, target: str) -> None:
        inode = Path(source).stat().st_ino
        if inode in copies:
            Path(target).hardlink_to(copies[inode])
        else:
            shutil.copy2(source, target)
        copies[inode] = target

    shutil.copytree(folder, new, copy_function=copy)


def _publish_all(settings: Settings) -> None:
    settings.landing("collisions").mkdir(parents=True)
    write_collisions(settings.landing("collisions") / "crashes.csv", rows=1000)
    write_ecommerce(settings.landing("ecommerce"), orders=3000)
    write_taxi(settings.landing("taxi"), months=["2024-01", "2024-02"], rows=2000)
    write_sales(settings.landing("sales"))
    with pytest.MonkeyPatch.context() as environment:
        # Sales do without the catalogue.
        environment.delenv("SLUICE_PRODUCTS_API_URL", raising=False)
        for domain in DOMAINS:
            load_domain(domain, settings)
    tags = [f"tag:{name}" for name in (*DOMAINS, "shared")]
    with keep_results("collisions", "shell__1", settings) as variables:
        run_dbt(["build", "--select", *tags, "--exclude", UNIT_TESTS], settings, variables=variables)
    for domain in DOMAINS:
        write_lineage(Path(variables["DBT_TARGET_PATH"]), domain, settings)
        with stage(domain, "shell__1", "publish", settings):
            publish(domain, settings)
        record(domain, settings, "shell__1")
    health(settings)
    overview(settings)


@pytest.fixture(scope="module")
def empty(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard before anything is published."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("empty") / "data", env="dev")
    with serve(settings) as url:
        yield Dashboard(url, settings)
