"""What a change of the models does to columns, as the comment on a pull request says it."""

from typing import Any

import pytest

from lineage.graph import Lineage, Reader
from lineage.models import resolve_models
from publishing.column_changes import changes, changes_markdown, contract_types
from publishing.preview import Preview
from transformation.manifest import Manifest

ORDERS = "select id, price * quantity as revenue, status, '2026-01-01 00:00:00.000001' as at from raw.orders"
SUMS = "select status, sum(revenue) as revenue, count(*) as orders from marts.fct_orders group by status"
TYPES = {"id": "bigint", "revenue": "decimal(18, 2)"}


# The comment on a pull request: a renamed column, a changed expression, a filter.
RENAMED = """\
## shop

Compared with v1. The change affects fct_orders.

### Breaking changes of a contract

| column                     | change   | before             | after        | published columns and tables                     | pages and reports        |
|:---------------------------|:---------|:-------------------|:-------------|:-------------------------------------------------|:-------------------------|
| `marts.fct_orders.revenue` | removed  | `price * quantity` | now turnover | marts.agg_sums.revenue, marts.fct_orders.revenue | Page Shop, Report orders |

### Changed columns

| column                      | change   | before              | after              | published columns and tables            | pages and reports        |
|:----------------------------|:---------|:--------------------|:-------------------|:----------------------------------------|:-------------------------|
| `marts.agg_sums.revenue`    | changed  | `SUM(revenue)`      | `SUM(turnover)`    | marts.agg_sums.revenue                  | Page Shop                |
| `marts.fct_orders.status`   | changed  | `raw.orders.status` | `UPPER(status)`    | marts.agg_sums, marts.fct_orders.status | Page Shop, Report orders |
| `marts.fct_orders.turnover` | added    |                     | `price * quantity` |                                         |                          |"""
CHANGED = """\
## shop

Compared with v1. The change affects fct_orders.

### Changed columns

| column                     | change   | before             | after                      | published columns and tables                     | pages and reports        |
|:---------------------------|:---------|:-------------------|:---------------------------|:-------------------------------------------------|:-------------------------|
| `marts.fct_orders.revenue` | changed  | `price * quantity` | `price * quantity \\|\\| ''` | marts.agg_sums.revenue, marts.fct_orders.revenue | Page Shop, Report orders |"""
FILTERED = """\
## shop

Compared with v1. The change affects fct_orders.

### Changed columns

| column             | change       |   before |   after | published columns and tables     | pages and reports        |
|:-------------------|:-------------|---------:|--------:|:---------------------------------|:-------------------------|
| `marts.fct_orders` | rows changed |          |         | marts.agg_sums, marts.fct_orders | Page Shop, Report orders |"""


def manifest(orders: str | None = ORDERS, sums: str = SUMS, types: dict[str, str] = TYPES) -> Manifest:
    def node(kind: str, schema: str, name: str, **more: Any) -> dict[str, Any]:
        return {
            "resource_type": kind,
            "schema": schema,
            "alias": name,
            "identifier": name,
            "tags": ["shop"],
            "columns": {},
            "config": {"contract": {"enforced": True}},
            "depends_on": {"nodes": []},
            **more,
        }

    raw = node("source", "raw", "orders", columns=dict.fromkeys(["id", "price", "quantity", "status"], {}))
    columns = {name: {"data_type": kind} for name, kind in types.items()}
    nodes = {
        "model.sums": node(
            "model", "marts", "agg_sums", compiled_code=sums, depends_on={"nodes": ["model.orders"]}
        )
    }
    if orders:
        nodes["model.orders"] = node(
            "model",
            "marts",
            "fct_orders",
            compiled_code=orders,
            columns=columns,
            depends_on={"nodes": ["source.orders"]},
        )
    return Manifest(
        {"metadata": {"adapter_type": "duckdb"}, "nodes": nodes, "sources": {"source.orders": raw}}
    )


def lineage(content: Manifest) -> Lineage:
    found, problems = resolve_models(content, "shop", "duckdb", {})
    assert problems == []
    readers = {
        "page_shop": Reader("page_shop", "page", "Page Shop", ("marts.agg_sums",)),
        "report_orders": Reader("report_orders", "report", "Report orders", ("marts.fct_orders",)),
    }
    return Lineage(found.tables, readers)


def text(after: Manifest) -> str:
    before = manifest()
    old = lineage(before)
    found = changes(old, lineage(after), (contract_types(before), contract_types(after)), old)
    return Preview("shop", "v1", ("fct_orders",), (), found).markdown()


def test_nothing_changes_with_names_layout_and_the_time_of_the_run() -> None:
    after = manifest(
        f"with o as ({ORDERS.replace('000001', '000009').replace('price *', 'price  /* each */ *')}) select * from o"
    )
    assert text(after) == "## shop\n\nCompared with v1. The change affects fct_orders."


def test_a_renamed_column_breaks_a_contract_and_comes_first() -> None:
    after = manifest(
        ORDERS.replace("as revenue", "as turnover").replace("status,", "upper(status) as status,"),
        SUMS.replace("sum(revenue)", "sum(turnover)"),
    )
    assert text(after) == RENAMED


def test_a_changed_expression_names_what_it_reaches() -> None:
    assert text(manifest(ORDERS.replace("price * quantity", "price * quantity || ''"))) == CHANGED


def test_a_filter_changes_the_rows_of_a_table_and_of_those_that_read_it() -> None:
    assert text(manifest(f"{ORDERS} where quantity > 0")) == FILTERED


def test_another_type_and_a_removed_model_break_a_contract() -> None:
    before, old = manifest(), lineage(manifest())
    after = manifest(types=TYPES | {"revenue": "double"})
    (retyped,) = changes(old, lineage(after), (contract_types(before), contract_types(after)), old)
    assert (retyped.name, retyped.kind, retyped.breaks) == ("marts.fct_orders.revenue", "changed", True)
    assert retyped.after == "price * quantity: double"
    gone = manifest(None, SUMS.replace("marts.fct_orders", "raw.orders").replace("revenue", "price"))
    found = changes(old, lineage(gone), ({}, {}), old)
    assert [each.name for each in found if each.breaks] == ["marts.agg_sums.revenue", "marts.fct_orders"]
    assert found[1].readers == ("Page Shop", "Report orders")


@pytest.mark.parametrize("count", [8, 9])
def test_a_long_list_is_cut(count: int) -> None:
    names = ", ".join(f"revenue + {number} as c{number}" for number in range(count))
    wide = manifest(sums=f"select status, {names} from marts.fct_orders")
    old = lineage(wide)
    after = lineage(
        manifest(ORDERS.replace("price * quantity", "price"), f"select status, {names} from marts.fct_orders")
    )
    shown = changes_markdown(changes(old, after, ({}, {}), old))
    assert ("and 2 more" in shown, "and 1 more" in shown) == (count == 9, count == 8)
