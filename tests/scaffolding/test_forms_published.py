"""Files of every form and tables of a database, from `sluice new` to published marts without an edit."""

import sqlite3
from pathlib import Path

import pytest

from bench.browser import chromium, launched, serve, settled
from bench.measuring import copy_checkout
from tests.end_to_end.conftest import Checkout
from tests.parsed import Parsed
from tests.scaffolding.helpers import parsed_dags
from tests.scaffolding.public_files import FILES
from tests.scaffolding.test_database_tables import URL, write_database

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Checkout:
    """A checkout of its own."""
    checkout = Checkout(copy_checkout(tmp_path_factory.mktemp("checkout")))
    project.put(checkout.settings)
    return checkout


@pytest.mark.parametrize("domain", FILES)
def test_a_file_is_published_as_it_is(checkout: Checkout, tmp_path: Path, domain: str) -> None:
    write, marts = FILES[domain]
    for command in (["new", domain, str(write(tmp_path)), "--deliver"], ["run", domain]):
        done = checkout.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    published = checkout.settings.published(domain)
    for mart, rows in marts.items():
        assert checkout.query(f"select count(*) from marts.{mart}", published) == [(rows,)]
    lost = f"select * from marts.audit_{domain}__row_counts where rows_read <> rows_clean"
    assert checkout.query(lost, published) == []


def test_all_of_them_run_under_a_scheduler_and_can_be_looked_at(checkout: Checkout, tmp_path: Path) -> None:
    if not chromium():
        pytest.skip("there is no Chromium here: apt-get install chromium")
    domains = [f"{name}_daily" for name in FILES]
    for domain, (write, _) in zip(domains, FILES.values(), strict=True):
        folder = tmp_path / domain
        folder.mkdir()
        done = checkout.run("new", domain, str(write(folder)), "--deliver")
        assert done.returncode == 0, done.stdout + done.stderr
    done = checkout.run("airflow", "run", *domains)
    assert done.returncode == 0, done.stdout + done.stderr
    with serve(checkout.settings) as url, launched() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        for domain in domains:
            published = checkout.settings.published(domain)
            ((table, rows),) = checkout.query(
                "select table_name, estimated_size from duckdb_tables() where table_name similar to '(fct|dim)_.*'"
                " and table_name <> 'dim_dates' order by estimated_size desc limit 1",
                published,
            )
            page.goto(f"{url}/explore?table={domain}.{table}")
            settled(page)
            page.get_by_text(f"{rows:,} rows").first.wait_for()
            assert page.locator("[data-testid=stException]").count() == 0


def test_tables_of_a_database_are_published_and_followed(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "crm.db"
    write_database(file)
    monkeypatch.setitem(checkout.variables, URL, f"sqlite:///{file}")

    def succeed(*command: str) -> None:
        done = checkout.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr

    succeed("new", "crm", "--database", URL, "--table", "accounts", "--table", "visits")
    tasks = parsed_dags(checkout)["dags"]["crm"]["tasks"]
    landing = "sluice://landing/crm/accounts"
    assert (tasks["fetch_accounts"]["outlets"], tasks["ingest_accounts"]["inlets"]) == ([landing], [landing])
    succeed("run", "crm")
    published = checkout.settings.published("crm")
    counts = "select (select count(*) from marts.dim_accounts), (select count(*) from marts.fct_visits)"
    assert checkout.query(counts, published) == [(40, 200)]
    with sqlite3.connect(file) as connection:
        connection.execute("update accounts set fee = 99, updated_at = '2024-06-01 08:00:00' where id = 7")
        connection.execute("delete from visits where visit_id <= 5")
    succeed("run", "crm", "--force-publish")
    assert checkout.query(counts, published) == [(40, 195)]
    assert checkout.query("select fee from marts.dim_accounts where id = '7'", published) == [(99,)]
