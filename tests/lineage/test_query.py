"""From which columns the columns of a query come, and which columns decide its rows."""

import pytest

from lineage.query import resolve
from lineage.relation import COUNT, QueryError, Relation

COLUMNS = {
    "raw.orders": ["id", "customer", "price", "quantity", "status", "_dlt_load_id"],
    "raw.customers": ["customer", "region"],
    "clean.own": ["id", "price"],
}


def found(sql: str, dialect: str = "duckdb") -> tuple[dict[str, str], str]:
    relation, _ = resolve(sql, dialect, lambda table: COLUMNS.get(table, []), "clean.own")
    columns = {name: _text(value.refs) for name, value in relation.columns.items()}
    return columns, _text(relation.rows)


def _text(refs: frozenset | set) -> str:
    return " ".join(sorted(f"{table.partition('.')[2]}.{column}" for table, column in refs))


def relation(sql: str) -> Relation:
    return resolve(sql, "duckdb", lambda table: COLUMNS.get(table, []), "clean.own")[0]


@pytest.mark.parametrize(
    ("sql", "columns", "rows"),
    [
        ("select price * quantity as total from raw.orders", {"total": "orders.price orders.quantity"}, ""),
        ("select id from raw.orders where status = 'x'", {"id": "orders.id"}, "orders.status"),
        (
            "with a as (select * from raw.orders), b as (select *, price * 2 as p from a) select p from b as c",
            {"p": "orders.price"},
            "",
        ),
        (
            "select o.id, c.region from raw.orders as o left join raw.customers as c on o.customer = c.customer",
            {"id": "orders.id", "region": "customers.region"},
            "customers.customer orders.customer",
        ),
        (
            "select customer, region, id from raw.orders join raw.customers using (customer)",
            {"customer": "customers.customer orders.customer", "region": "customers.region", "id": "orders.id"},
            "customers.customer orders.customer",
        ),
        (
            "select customer, sum(price) as s, count(*) as n from raw.orders group by 1 having max(quantity) > 1",
            {"customer": "orders.customer", "s": "orders.price", "n": ""},
            "orders.customer orders.quantity",
        ),
        ("select customer, sum(price) s from raw.orders group by all", {"customer": "orders.customer", "s": "orders.price"}, "orders.customer"),
        ("select distinct status from raw.orders", {"status": "orders.status"}, "orders.status"),
        (
            "select id as n from raw.orders union all select region from raw.customers",
            {"n": "customers.region orders.id"},
            "",
        ),
        (
            "select id as a, price as b from raw.orders union all select 0, 0 from raw.customers"
            " union all select 0, sum(quantity) from raw.orders",
            {"a": "orders.id", "b": "orders.price orders.quantity"},
            "",
        ),
        ("select id as n from raw.orders union select id from raw.orders", {"n": "orders.id"}, "orders.id"),
        (
            "select row_number() over (partition by customer order by id) as n from raw.orders qualify n = 1",
            {"n": "orders.customer orders.id"},
            "orders.customer orders.id",
        ),
        # The row as a whole.
        (
            "select to_json(c) as j from raw.customers as c",
            {"j": "customers.customer customers.region"},
            "",
        ),
        (
            "select id in (select customer from raw.customers where region = 'x') as known from raw.orders",
            {"known": "customers.customer orders.id"},
            "customers.region",
        ),
        (
            "select exists (select 1 from raw.customers as c where c.customer = o.customer) as e from raw.orders as o",
            {"e": "customers.customer orders.customer"},
            "customers.customer orders.customer",
        ),
        ("select price as p, p + 1 as q from raw.orders", {"p": "orders.price", "q": "orders.price"}, ""),
        ("select unnest(string_split(status, ',')) as s from raw.orders", {"s": "orders.status"}, "orders.status"),
        ("select list_transform([price], x -> x + quantity) as l from raw.orders", {"l": "orders.price orders.quantity"}, ""),
        ("select * exclude (price, quantity, status, _dlt_load_id) from raw.orders", {"id": "orders.id", "customer": "orders.customer"}, ""),
        ("select generate_series as n from generate_series(1, 3)", {"n": ""}, ""),
        (
            "select id from raw.orders order by price limit 3",
            {"id": "orders.id"},
            "orders.price",
        ),
        (
            "with recursive n as (select id from raw.orders union all select id + 1 from n where id < 9) select id from n",
            {"id": "orders.id"},
            "orders.id",
        ),
    ],
)  # fmt: skip
def test_duckdb(sql: str, columns: dict[str, str], rows: str) -> None:
    assert found(sql) == (columns, rows)


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        (
            "spark",
            "select to_json(struct(c.*), map('ignoreNullFields', 'false')) as j from raw.customers as c",
        ),
        (
            "postgres",
            "select (select string_agg(f.value, ',' order by f.ordinality)"
            " from json_each(row_to_json(c)) with ordinality as f) as j from raw.customers as c",
        ),
    ],
)
def test_the_row_as_a_whole_on_other_engines(dialect: str, sql: str) -> None:
    columns, _ = found(sql, dialect)
    assert columns == {"j": "customers.customer customers.region"}


FULL = (
    "with t as (select id, price from raw.orders) select id, price, '2026-01-01 00:00:00.000001' as at from t"
)
INCREMENTAL = """
with delivered as (select id, price from raw.orders where _dlt_load_id in ('1764541283.1')),
gone as (select * from clean.own where false),
t as (select id, price from delivered union all select id, price from clean.own where id in (select id from gone))
select id, price, '2027-02-03 04:05:06.000007' as at from t
union all
select id, price, 'x' from gone
"""


def test_an_incremental_run_has_the_lineage_of_a_full_refresh() -> None:
    full, incremental = relation(FULL), relation(INCREMENTAL)
    assert found(FULL) == found(INCREMENTAL)
    assert {name: value.text for name, value in full.columns.items()} == {
        name: value.text for name, value in incremental.columns.items()
    }
    assert full.text == incremental.text


def test_a_definition_changes_with_its_expression_and_not_with_names_or_layout() -> None:
    before = relation("select price * quantity as total from raw.orders")
    same = relation(
        "with o as (select * from raw.orders) select\n x.price*x.quantity -- as\n as sum from o as x"
    )
    other = relation("select price * quantity * 2 as total from raw.orders")
    assert before.columns["total"].text == same.columns["sum"].text != other.columns["total"].text
    filtered = relation("select price * quantity as total from raw.orders where status = 'x'")
    assert before.columns["total"].text == filtered.columns["total"].text
    assert before.text == same.text != filtered.text


def test_definitions_do_not_grow_with_the_steps() -> None:
    steps = ", ".join(f"c{number} as (select x || x as x from c{number - 1})" for number in range(1, 60))
    found = relation(
        f"with c0 as (select status as x from raw.orders), {steps} select x, count(*) as n from c59 group by 1"
    )
    assert found.columns["x"].refs == {("raw.orders", "status")}
    assert len(found.columns["x"].text) < 1000
    assert COUNT in found.columns["n"].text


@pytest.mark.parametrize(
    "sql", ["select (", "select 'x", f"select {' || '.join(['status'] * 20_000)} as s from raw.orders"]
)
def test_what_cannot_be_read_is_an_error_of_its_own(sql: str) -> None:
    with pytest.raises(QueryError):
        relation(sql)


def test_a_column_that_no_table_has_is_named() -> None:
    with pytest.raises(QueryError, match=r"no table of the query has the column nothing"):
        relation("select nothing from raw.orders join raw.customers using (customer)")
