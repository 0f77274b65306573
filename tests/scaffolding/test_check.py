"""What `sluice check` finds: one change each, that leaves a domain in parts that do not fit."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.measuring import copy_checkout
from cli.main import main
from dashboard.exposures import pages_of
from scaffolding.check import check_domain, known_domains

Change = Callable[[Path], object]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the project whose sources are imported anew."""
    root = copy_checkout(tmp_path)
    monkeypatch.setattr("ingestion.sources.__path__", [str(root / "ingestion" / "sources")])
    known = [name for name in sys.modules if name.startswith("ingestion.sources.")]
    for name in known:
        monkeypatch.delitem(sys.modules, name)
    yield root
    for name in [name for name in sys.modules if name.startswith("ingestion.sources.")]:
        del sys.modules[name]


def replaced(path: str, old: str, new: str) -> Change:
    def change(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))

    return change


def renamed(path: str, name: str) -> Change:
    return lambda root: (root / path).rename((root / path).with_name(name))


MODELS = "dbt_project/models/clean/sales/_sales__models.yml"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            replaced("dags/sales.py", 'domain_dag("sales"', 'domain_dag("sale"'),
            "dags/sales.py: its DAG is of 'sale', not of 'sales'; did you mean 'sales'?",
        ),
        (renamed("dags/sales.py", "sales.txt"), "dags/sales.py: no DAG runs 'sales'"),
        (
            replaced("dbt_project/dbt_project.yml", "        sales: {", "        salse: {"),
            "dbt_project/dbt_project.yml: it has no entry sales",
        ),
        (
            replaced("dbt_project/selectors.yml", "- name: sales", "- name: salse"),
            "dbt_project/selectors.yml: it has no entry sales",
        ),
        (
            replaced("ingestion/sources/sales.py", "SALES = FileResource(", "SALES = FileResourc("),
            "ingestion/sources/sales.py: it cannot be imported: name 'FileResourc' is not defined",
        ),
        (
            replaced("ingestion/sources/sales.py", 'entity="sales"', 'entity="sale"'),
            "stg_sales__sales.sql: no resource loads 'sales'; did you mean 'sale'?",
        ),
        (
            replaced("ingestion/sources/sales.py", 'entity="sales"', 'entity="Sales-1"'),
            "'Sales-1' is no name of an entity",
        ),
        (
            renamed(f"{MODELS.rpartition('/')[0]}/stg_sales__products.sql", "products.sql"),
            "products.sql: the name of a model here begins with stg_",
        ),
        (
            renamed("dbt_project/models/marts/sales/fct_store_sales.sql", "fact_sales.sql"),
            "fact_sales.sql: the name of a model here begins with fct_",
        ),
        (replaced(MODELS, "name: stg_sales__products", "name: stg_sales__product"), "stg_sales__product"),
        (replaced(MODELS, "Number of pieces.", "Pieces."), "run `sluice generate`"),
        (
            replaced("dashboard/views/sales.py", "marts.dim_stores", "marts.dim_store"),
            "dashboard/views/sales.py: no model is the mart 'dim_store'; did you mean 'dim_stores'?",
        ),
    ],
)
def test_a_part_that_does_not_fit_is_named_with_the_mend(
    checkout: Path, change: Change, finding: str
) -> None:
    change(checkout)
    found = [str(each) for each in check_domain("sales", checkout, pages_of)]
    assert any(finding in each for each in found), found


def test_everything_of_the_project_fits_together(checkout: Path) -> None:
    names = known_domains(checkout)
    assert {name: check_domain(name, checkout, pages_of) for name in names} == dict.fromkeys(names, [])


def test_the_command_names_what_is_meant(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("settings.PROJECT_DIR", checkout)
    assert main(["check", "slaes"]) == 2
    assert "Did you mean 'sales'?" in capsys.readouterr().err
    replaced("dags/taxi.py", 'domain_dag("taxi"', 'domain_dag("txi"')(checkout)
    assert main(["check", "taxi"]) == 2
    assert "its DAG is of 'txi', not of 'taxi'; did you mean 'taxi'?" in capsys.readouterr().out
