"""What `sluice new` writes and refuses, and that `sluice remove` takes all of it away; without dbt."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.measuring import copy_checkout
from cli.main import main
from dashboard.exposures import pages_of
from scaffolding.errors import ScaffoldingError
from scaffolding.generated.write import outdated_files
from scaffolding.profile import profile
from scaffolding.project_files import PROJECT_YML, SELECTORS_YML
from scaffolding.remove import plan_removal, remove
from scaffolding.write import Plan, check_is_new, check_landing, deliver, plan, write
from settings import PROJECT_DIR, Settings
from tests.scaffolding.helpers import customers, orders
from tests.scaffolding.helpers import write as write_file


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def planned(tmp_path: Path, checkout: Path) -> Plan:
    return plan(profile("shop", [customers(tmp_path), orders(tmp_path)]), checkout, pages_of)


def contents(root: Path) -> dict[str, tuple[bytes, int] | None]:
    """Return content and mode of every file, and the folders."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode) if path.is_file() else None
        for path in sorted(root.rglob("*"))
        if "__pycache__" not in path.parts
    }


def accept() -> None:
    """Take whatever was written."""


def test_new_and_then_remove_leave_every_byte_as_it_was(
    checkout: Path, planned: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(checkout)
    write(planned, checkout, accept)
    added = contents(checkout).keys() - before.keys()
    files = planned.files.keys() | planned.generated.keys()
    assert {path for path in added if (checkout / path).is_file()} == files
    # As if `sluice generate` had written them.
    monkeypatch.setattr("ingestion.sources.__path__", [str(checkout / "ingestion" / "sources")])
    assert outdated_files(checkout, pages_of) == {}
    removal = plan_removal("shop", checkout)
    assert {str(path.relative_to(checkout)) for path in removal.files} == files
    assert removal.entries == (PROJECT_YML, SELECTORS_YML)
    remove(removal, checkout)
    assert contents(checkout) == before


@pytest.mark.parametrize("domain", ["aaa", "mmm", "zzz"])
def test_the_entries_stand_in_alphabetical_order_and_comments_stay(
    tmp_path: Path, checkout: Path, domain: str
) -> None:
    edits = plan(profile(domain, [customers(tmp_path)]), checkout, pages_of).edits
    models = yaml.safe_load(edits[PROJECT_YML])["models"]["sluice"]
    for layer in ("clean", "curated", "marts"):
        assert models[layer][domain] == {"+tags": [domain], "+group": domain}
    domains = [name for name in models["clean"] if not name.startswith("+")]
    assert domains == sorted(domains)
    selectors = yaml.safe_load(edits[SELECTORS_YML])["selectors"]
    assert [each["name"] for each in selectors] == [*domains, "health", "overview"]
    (own,) = [each["definition"] for each in selectors if each["name"] == domain]
    (other,) = [each["definition"] for each in selectors if each["name"] == "sales"]
    assert str(own) == str(other).replace("sales", domain)
    for path, text in edits.items():
        lines = text.splitlines()
        assert [line for line in (checkout / path).read_text().splitlines() if line not in lines] == []


def test_what_the_check_rejects_is_taken_back(checkout: Path, planned: Plan) -> None:
    before = contents(checkout)

    def reject() -> None:
        assert (checkout / "dags" / "shop.py").exists()
        raise RuntimeError("line 3 is wrong")

    with pytest.raises(ScaffoldingError, match="removed again: line 3 is wrong"):
        write(planned, checkout, reject)
    assert contents(checkout) == before


def test_a_file_that_appears_in_the_meantime_is_not_overwritten(checkout: Path, planned: Plan) -> None:
    other = checkout / "dags" / "shop.py"
    other.write_text("other")
    before = contents(checkout)
    with pytest.raises(ScaffoldingError, match="removed again"):
        write(planned, checkout, accept)
    assert contents(checkout) == before
    other.unlink()


def test_generated_python_is_as_ruff_wants_it(checkout: Path, planned: Plan) -> None:
    paths = [path for path in planned.files if path.endswith(".py")]
    assert len(paths) == 2
    write(planned, checkout, accept)
    try:
        for command in (["check"], ["format", "--check"]):
            ruff = [sys.executable, "-m", "ruff", *command, *paths]
            done = subprocess.run(ruff, cwd=checkout, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        remove(plan_removal("shop", checkout), checkout)


def test_generated_yaml_has_no_name_that_yaml_takes_for_another_value(planned: Plan) -> None:
    for path, content in planned.files.items():
        if path.endswith(".yml"):
            for models in yaml.safe_load(content).values():
                for model in models:
                    columns = [*model.get("columns", [])]
                    columns += [column for table in model.get("tables", []) for column in table["columns"]]
                    assert all(isinstance(column["name"], str) for column in columns), path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sales", "'sales' exists already: ingestion/sources/sales.py"),
        ("products", "'products' exists already: ingestion/sources/products.py"),
        ("quality", "'quality' exists already: dbt_project/macros/quality"),
        ("overview", "'overview' exists already"),
        ("preview", "'preview' exists already: dags/preview.py"),
        ("Shop", "no name of a domain"),
        ("my-shop", "no name of a domain"),
        ("shop__x", "no name of a domain"),
        ("7days", "no name of a domain"),
        ("../x", "no name of a domain"),
        ("class", "'class' is reserved"),
        ("temp", "'temp' is reserved"),
        ("json", "name of a Python module"),
        ("publishing", "'publishing' exists already: docs/publishing.md"),
        ("warehouse", "name of a Python module"),
    ],
)
def test_a_name_that_is_taken_or_no_identifier_is_refused(checkout: Path, name: str, message: str) -> None:
    with pytest.raises(ScaffoldingError) as refused:
        check_is_new(name, checkout)
    assert message in str(refused.value)


def test_the_command_refuses_before_anything_is_written(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ["git", "status", "--porcelain", "--untracked-files=all"]
    before = subprocess.run(state, cwd=PROJECT_DIR, capture_output=True).stdout
    file = customers(tmp_path)
    sheet = write_file(tmp_path / "customers.xlsx", "x")
    for arguments, message in (
        (["sales", str(file)], "'sales' exists already"),
        (["shop", str(sheet)], "not an Excel workbook"),
        (["shop", str(file), "--entity", "Customers=" + str(file)], "no name of an entity"),
    ):
        assert main(["new", *arguments]) == 2
        assert message in capsys.readouterr().err
    # The last two are files and folders of the platform, not of a domain.
    for name in ("nothing", "preview", "audit"):
        assert main(["remove", name, "--yes"]) == 2
        assert f"there is no domain '{name}'" in capsys.readouterr().err
    assert subprocess.run(state, cwd=PROJECT_DIR, capture_output=True).stdout == before


def test_dry_run_shows_the_files_and_writes_nothing(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ["git", "status", "--porcelain", "--untracked-files=all"]
    before = subprocess.run(state, cwd=PROJECT_DIR, capture_output=True).stdout
    assert main(["new", "shop", str(customers(tmp_path)), str(orders(tmp_path)), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "==> dags/shop.py <==" in shown
    assert "customer_id to customers.id (98.0%)" in shown
    assert "ann1@" not in shown
    assert subprocess.run(state, cwd=PROJECT_DIR, capture_output=True).stdout == before
    assert not settings.landing("shop").exists()


def test_a_name_of_a_mart_that_is_taken_gets_the_domain(tmp_path: Path, checkout: Path) -> None:
    planned = plan(profile("shop", [orders(tmp_path), customers(tmp_path)]), checkout, pages_of)
    marts = {entity.name: entity.mart for entity in planned.domain.entities}
    assert marts == {"customers": "dim_shop_customers", "orders": "fct_shop_orders"}


def test_one_csv_is_at_most_eight_files_and_150_lines_for_people_to_change(
    tmp_path: Path, checkout: Path
) -> None:
    lines = (
        "visit_id,visited_on,branch,visitor,amount,minutes,channel,rating",
        *(f"{n},2024-05-{n:02d},North,Ann,{n}.50,{n},web,{n % 5}" for n in range(1, 30)),
    )
    planned = plan(profile("visits", [write_file(tmp_path / "visits.csv", *lines)]), checkout, pages_of)
    assert len(planned.files) == 7
    assert sum(len(content.splitlines()) for content in planned.files.values()) <= 150


def test_personal_columns_are_in_no_mart(planned: Plan) -> None:
    dimension = planned.files["dbt_project/models/marts/shop/dim_shop_customers.sql"]
    assert "email" not in dimension
    assert "branch" in dimension
    models = planned.files["dbt_project/models/clean/shop/_shop__models.yml"]
    assert 'example_columns: ["no", id, branch, vip]' in models


def test_an_entity_may_have_the_name_of_a_part_of_a_query(tmp_path: Path, checkout: Path) -> None:
    for name in ("members", "facts", "months"):
        lines = ("day,amount,region", *(f"2024-05-{n:02d},{n},x" for n in range(1, 4)))
        planned = plan(profile("shop", [write_file(tmp_path / f"{name}.csv", *lines)]), checkout, pages_of)
        for path, content in (planned.files | planned.generated).items():
            assert content.count(f"{name} as (") <= 1, path


def test_files_are_delivered_once(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    file = customers(tmp_path)
    check_landing([file], landing)
    deliver([file], landing)
    assert [path.name for path in landing.iterdir()] == ["customers.csv"]
    with pytest.raises(ScaffoldingError, match=r"has customers.csv already"):
        check_landing([file], landing)
