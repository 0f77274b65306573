"""The preview on the real models: what a change does to the data, before anybody publishes it.

Its DAG runs in `test_ecommerce.py`.
"""

import json

import pytest

from tests.end_to_end.conftest import Checkout, loads

pytestmark = pytest.mark.long

MARTS = "dbt_project/models/marts/ecommerce"


@pytest.fixture(scope="module")
def published(checkout: Checkout) -> Checkout:
    """The checkout with the shop's samples published."""
    made = checkout.run("samples", "ecommerce", "--orders", "2000")
    assert made.returncode == 0, made.stderr
    done = checkout.run("run", "ecommerce")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def preview(checkout: Checkout, *arguments: str) -> list[dict]:
    """What it finds; nothing else is touched."""
    files = [checkout.settings.warehouse, checkout.settings.published("ecommerce")]
    before = [file.read_bytes() for file in files]
    done = checkout.run("preview", *arguments, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [file.read_bytes() for file in files] == before
    assert [path.name for path in (checkout.settings.data_dir / "preview").iterdir()] == [".lock"]
    return loads(done.stdout)


def test_without_a_change_nothing_is_built(published: Checkout) -> None:
    (found,) = preview(published)
    assert (found["domain"], found["built"], found["tables"]) == ("ecommerce", [], [])


def test_what_a_change_touches_is_built_and_compared_and_nothing_else(published: Checkout) -> None:
    path = published.path / "dbt_project/models/marts/ecommerce/fct_orders.sql"
    kept = path.read_text()
    # A null would break the contract; the status is no key.
    path.write_text(kept.replace("        status,\n", "        upper(status) as status,\n"))
    (found,) = preview(published, "ecommerce")
    path.write_text(kept)
    built = set(found["built"])
    assert "fct_orders" in built
    assert not {name for name in built if "clean" in name or "curated" in name}
    (sales,) = [table for table in found["tables"] if table["table"] == "fct_orders"]
    orders = published.query("select count(*) from marts.fct_orders")[0][0]
    assert sales["rows"] == [orders, orders]
    assert sales["key"] == ["order_id"]
    (status,) = sales["changed"]
    assert (status["what"], status["rows"], len(status["examples"])) == ("status", orders, 5)
    assert all(new == old.upper() for _, old, new in status["examples"])
    (changed,) = found["columns"]
    assert (changed["name"], changed["kind"]) == ("marts.fct_orders.status", "changed")
    assert changed["after"] == "UPPER(status)"
    # What the data shows as well.
    assert changed["published"] == [
        "marts.agg_daily_order_revenue.returned_or_cancelled_revenue",
        "marts.fct_orders.status",
    ]
    assert "Report daily_order_revenue" in changed["readers"]


def test_a_change_of_the_first_model_alone_changes_no_column_of_the_others(published: Checkout) -> None:
    # An incremental model is built as a whole here; its lineage is that of the incremental run that was published.
    orders = [
        "--only",
        "orders",
        "--orders",
        "10",
        "--first-id",
        "400000",
        "--name",
        "more",
        "--defects",
        "none",
    ]
    assert published.run("samples", "ecommerce", *orders).returncode == 0
    done = published.run("run", "ecommerce")
    assert done.returncode == 0, done.stdout + done.stderr
    path = published.path / "dbt_project/models/clean/ecommerce/stg_ecommerce__orders.sql"
    kept = path.read_text()
    path.write_text(f"{kept}-- a comment\n")
    (found,) = preview(published, "ecommerce")
    path.write_text(kept)
    assert "validated_ecommerce__orders" in found["built"]
    assert found["columns"] == []


def test_a_renamed_column_is_shown_by_preview_and_stops_the_publish(published: Checkout) -> None:
    sql, yml = (
        published.path / MARTS / "agg_category_month.sql",
        published.path / MARTS / "_ecommerce__models.yml",
    )
    sql.write_text(sql.read_text().replace("        margin,", "        margin as profit,"))
    before, name, after = yml.read_text().partition("- name: agg_category_month")
    yml.write_text(before + name + after.replace("{name: margin,", "{name: profit,", 1))
    (found,) = preview(published)
    assert found["built"] == ["agg_category_month"]
    (table,) = found["tables"]
    assert table["columns"] == ["`margin` was removed", "`profit` was added, DECIMAL(18,2)"]
    assert table["changed"] == []
    shown = published.run("preview", "ecommerce").stdout
    assert "- `margin` was removed" in shown
    changed = {each["name"].rpartition(".")[2]: each for each in found["columns"]}
    assert {name: each["kind"] for name, each in changed.items()} == {"margin": "removed", "profit": "added"}
    assert (changed["margin"]["breaks"], changed["margin"]["after"]) == (True, "now profit")
    assert shown.index("### Breaking changes of a contract") < shown.index("### Changed columns")

    before = published.settings.published("ecommerce").read_bytes()
    done = published.run("run", "ecommerce")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "agg_category_month column of margin" in done.stderr
    assert published.settings.published("ecommerce").read_bytes() == before
    done = published.run("run", "ecommerce", "--force-publish", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    accepted = json.loads(done.stdout.strip().splitlines()[-1])["accepted"]
    assert [each.split()[:4] for each in accepted] == [["agg_category_month", "column", "of", "margin"]]
    note = "select note from raw_ops.stages where stage = 'publish' and note is not null"
    assert "agg_category_month column of margin" in published.query(note)[0][0]


def test_without_a_published_version_there_is_nothing_to_compare_with(published: Checkout) -> None:
    done = published.run("preview", "collisions")
    assert done.returncode == 2
    assert "collisions has no published version" in done.stderr
