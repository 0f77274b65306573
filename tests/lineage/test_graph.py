"""What a column comes from and what it reaches, and the file that keeps it."""

import pytest

from lineage.artefact import from_json, to_json
from lineage.graph import MODEL, RAW, Column, Lineage, Reader, Table, UnknownNameError


@pytest.fixture
def lineage() -> Lineage:
    tables = [
        Table("raw.orders", RAW, {"price": Column(), "status": Column()}, reads=("landing/shop/orders",)),
        Table(
            "clean.orders",
            MODEL,
            {"price": Column(("raw.orders.price",), "CAST(price AS INT)", "1a")},
            ("raw.orders.status",),
            ("raw.orders",),
            "2b",
        ),
        Table("marts.sums", MODEL, {"total": Column(("clean.orders.price",)), "orders": Column(counts_rows=True)}, reads=("clean.orders",)),
        Table("marts.orders", MODEL, {"price": Column(("clean.orders.price",))}, reads=("clean.orders",)),
    ]  # fmt: skip
    readers = [
        Reader("page_sums", "page", "Sums", ("marts.sums",)),
        Reader("report", "report", "R", ("marts.orders",)),
    ]
    return Lineage({each.name: each for each in tables}, {each.name: each for each in readers})


def test_upstream_tells_values_from_rows(lineage: Lineage) -> None:
    reach = lineage.upstream("marts.sums.total")
    assert (reach.direct, reach.rows) == (("clean.orders.price", "raw.orders.price"), ("raw.orders.status",))
    assert lineage.inputs("marts.sums.orders") == ("landing/shop/orders",)


def test_downstream_tells_values_from_rows(lineage: Lineage) -> None:
    reach = lineage.downstream("raw.orders.price")
    assert (reach.direct, reach.rows) == (
        ("clean.orders.price", "marts.orders.price", "marts.sums.total"),
        (),
    )
    reach = lineage.downstream("raw.orders.status")
    assert (reach.direct, reach.rows) == ((), ("clean.orders", "marts.orders", "marts.sums"))
    assert reach.readers == ("page_sums", "report")
    assert lineage.downstream("marts.sums.total").readers == ("page_sums",)
    assert lineage.downstream("raw.orders").rows == ("clean.orders", "marts.orders", "marts.sums")


def test_a_name_may_leave_out_its_schema_and_an_unknown_one_names_the_nearest(lineage: Lineage) -> None:
    assert lineage.find("sums") == "marts.sums"
    assert lineage.find("sums.total") == "marts.sums.total"
    with pytest.raises(UnknownNameError, match=r"ambiguous: clean\.orders, marts\.orders, raw\.orders"):
        lineage.find("orders")
    with pytest.raises(UnknownNameError, match=r"sums\.totl; did you mean marts\.sums\.total\?"):
        lineage.find("sums.totl")
    with pytest.raises(UnknownNameError, match="called nothing_like_it$"):
        lineage.find("nothing_like_it")


def test_the_file_has_all_of_it_and_is_always_the_same(lineage: Lineage) -> None:
    text = to_json(lineage, "shop")
    assert from_json(text).tables == lineage.tables
    assert from_json(text).readers == lineage.readers
    assert to_json(Lineage(dict(reversed(lineage.tables.items())), lineage.readers), "shop") == text
    with pytest.raises(ValueError, match="format is 0"):
        from_json(text.replace('"format": 1', '"format": 0'))
