"""What `sluice generate` writes, and what it says of declarations from which nothing follows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.measuring import copy_checkout
from cli.main import main
from dashboard.exposures import pages_of
from scaffolding.errors import ScaffoldingError
from scaffolding.generated.write import outdated_files, write_generated
from settings import PROJECT_DIR

CLEAN = "dbt_project/models/clean/sales"
GENERATED = f"{CLEAN}/generated"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_generated_files_follow_from_the_declarations() -> None:
    assert [*outdated_files(PROJECT_DIR, pages_of)] == [], "run `sluice generate`"


def test_a_changed_file_is_named_and_written_anew(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("settings.PROJECT_DIR", checkout)
    file = f"{GENERATED}/_sales__models.yml"
    replace(checkout / file, "Number of pieces.", "Something else.")
    (checkout / "dbt_project/models/clean/gone/generated/stg_gone__x.sql").parent.mkdir(parents=True)
    (checkout / "dbt_project/models/clean/gone/generated/stg_gone__x.sql").write_text("select 1")
    assert main(["generate", "--check"]) == 2
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["dbt_project/models/clean/gone/generated/stg_gone__x.sql", file]
    assert "run `sluice generate`" in shown.err
    assert main(["generate"]) == 0
    assert "Number of pieces." in (checkout / file).read_text()
    assert not (checkout / "dbt_project/models/clean/gone/generated").exists()
    assert main(["generate", "--check"]) == 0


def test_a_description_of_a_staging_model_reaches_what_is_generated(checkout: Path) -> None:
    replace(checkout / CLEAN / "_sales__models.yml", "Number of pieces.", "Pieces sold.")
    assert write_generated(checkout, pages_of) == [f"{GENERATED}/_sales__models.yml"]
    assert (checkout / GENERATED / "_sales__models.yml").read_text().count("Pieces sold.") == 1


def test_a_model_of_ones_own_replaces_the_generated_one(checkout: Path) -> None:
    name = "clean_sales__products"
    (checkout / CLEAN / f"{name}.sql").write_text((checkout / GENERATED / f"{name}.sql").read_text())
    replace(
        checkout / CLEAN / "_sales__models.yml",
        "models:\n",
        f"models:\n  - name: {name}\n    description: Products that can be sold.\n",
    )
    assert write_generated(checkout, pages_of) == [
        f"{GENERATED}/_sales__models.yml",
        f"{GENERATED}/{name}.sql",
    ]
    assert name not in (checkout / GENERATED / "_sales__models.yml").read_text()
    assert not (checkout / GENERATED / f"{name}.sql").exists()


def test_references_are_looked_up(checkout: Path) -> None:
    replace(
        checkout / CLEAN / "_sales__models.yml",
        "        order_by: [_dlt_load_id, _source_row]\n",
        "        order_by: [_dlt_load_id, _source_row]\n        references:\n"
        "          product_exists: {column: product_id, model: clean_sales__products, key: product_id}\n",
    )
    changed = write_generated(checkout, pages_of)
    assert changed == [f"{GENERATED}/_sales__models.yml", f"{GENERATED}/validated_sales__sales.sql"]
    model = (checkout / changed[1]).read_text()
    assert "'relation': ref('clean_sales__products')" in model
    assert "name: product_exists" in (checkout / changed[0]).read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace("        key: [_row_id]\n", ""),
            "_sales__models.yml, stg_sales__sales: config.meta lacks key",
        ),
        (
            lambda text: text.replace("*unreadable,", "", 1),
            "stg_sales__sales: its columns lack _unreadable",
        ),
        (lambda text: text.replace("models:", "models: [", 1), "_sales__models.yml is not a properties file"),
        (
            lambda text: text.replace("stg_sales__sales", "stg_sales__sale", 1),
            "config.meta lacks key, order_by",
        ),
    ],
)
def test_what_nothing_follows_from_is_named(
    checkout: Path, change: Callable[[str], str], message: str
) -> None:
    path = checkout / CLEAN / "_sales__models.yml"
    changed = change(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    with pytest.raises(ScaffoldingError) as refused:
        write_generated(checkout, pages_of)
    assert message in str(refused.value)


def test_a_group_without_an_owner_is_named(checkout: Path) -> None:
    replace(checkout / "dbt_project/models/marts/sales/_sales__models.yml", "owner:", "keeper:")
    with pytest.raises(ScaffoldingError, match="has no group sales with an owner"):
        write_generated(checkout, pages_of)
