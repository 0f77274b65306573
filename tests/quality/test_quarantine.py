"""What is in quarantine is listed, and an export comes back as it went out."""

import csv
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from cli.main import main
from ingestion.load import load_domain
from ingestion.registry import UnknownDomainError
from quality.quarantine import (
    FileCount,
    QuarantineError,
    QuarantineReport,
    ReasonCount,
    describe,
    quarantine,
)
from settings import Settings
from tests.holding import held
from tests.kill_at import run_to_death
from warehouse import connect

ORDERS = "order_id,customer_id,product_id,quantity,unit_price,order_date,status"
CUSTOMERS = "customer_id,name,email,region,updated_at"
PLATFORM = ["_entity", "_row_id", "_source_file", "_line_number", "_source_row", "_reasons", "_rejected_line"]
DELIVERED = [*ORDERS.split(","), "note", "name", "email", "region", "updated_at", "product_name"]
DELIVERED += ["category", "unit_cost"]
# The rules that each order in quarantine fails.
FAILED = {
    "2": "quantity_is_from_1_to_1000",
    "3": "status_is_known,quantity_is_from_1_to_1000",
    "4": "status_is_known",
}

Deliver = Callable[..., Path]


@pytest.fixture
def deliver(settings: Settings) -> Deliver:
    """Return a function that puts a file into the landing folder and loads it."""

    def put(name: str, *lines: str, load: bool = True) -> Path:
        path = settings.landing("ecommerce") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), newline="")
        if load:
            load_domain("ecommerce", settings)
        return path

    return put


def build(settings: Settings) -> None:
    """Create the quarantine tables as dbt does, with the rules of `FAILED` for orders and one for customers."""
    with connect(settings) as warehouse:
        warehouse.execute("create schema if not exists clean")
        rules = " ".join(f"when '{order}' then '{rules}'" for order, rules in FAILED.items())
        broken = {
            "orders": f"case order_id {rules} else '' end",
            "customers": "if(email like '%@%', '', 'email_is_valid')",
            "products": "''",
        }
        for entity, rule in broken.items():
            warehouse.execute(
                f"""
                create or replace table clean.quarantine_ecommerce__{entity} as
                select *, {rule} as _failed_rules from raw_ecommerce.{entity} as delivered
                where _failed_rules <> '' and not exists (
                    from raw_ecommerce.{entity} as other where other._corrects_row_id = delivered._row_id
                )
                """
            )


@pytest.fixture
def shop(settings: Settings, deliver: Deliver) -> Settings:
    """Load three orders and a customer for the quarantine, two rejected lines, and valid rows."""
    deliver(
        "customers.csv",
        CUSTOMERS,
        "C1,Ann,ann@example.com,north,2023-01-01",
        "C2,Bob,nobody,,2023-01-02",
        load=False,
    )
    deliver(
        "orders.csv",
        f"{ORDERS},note",
        "1,C1,P1,1,1.00,2023-02-01,paid,",
        '2,C1,P1,0,1.00,2023-02-01,paid,"said ""late"", twice"',
        '3,C1,,"",  1.00,2023-02-01,lost?,"two\nlines, 1,2,3,4,5,6\n\nand a blank one"',
        "cut,off",
        "4,C1,P1,1,1.00,2023-02-01 , NULL,ünï 'x' \t😀",
        '5,C1,P1,1,1.00,2023-02-01,paid,"never closed',
    )
    build(settings)
    return settings


def raw_rows(settings: Settings, where: str) -> list[tuple[str | None, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.execute(
            f"select {ORDERS}, note from raw_ecommerce.orders where {where} order by order_id"
        ).fetchall()


def read_back(path: Path) -> list[dict[str, str | None]]:
    """Read an export; NULL and '' differ."""
    with duckdb.connect() as reader:
        found = reader.execute(
            "from read_csv(?, header = true, all_varchar = true, allow_quoted_nulls = false, delim = ',',"
            " quote = '\"', escape = '\"')",
            [str(path)],
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_rows_are_counted_by_reason_and_by_file(shop: Settings) -> None:
    found = quarantine("ecommerce", shop)
    assert (found.rows, found.rejected_lines) == (4, 2)
    assert found.by_reason == (
        ReasonCount("orders", "quantity_is_from_1_to_1000", 2),
        ReasonCount("orders", "status_is_known", 2),
        ReasonCount("customers", "email_is_valid", 1),
        ReasonCount("orders", "a quote is opened and not closed correctly", 1),
        ReasonCount("orders", "fewer columns than the header: 2 values for 8 columns", 1),
    )
    assert found.by_file == (
        FileCount("customers", "customers.csv", 1, 0),
        FileCount("orders", "orders.csv", 3, 2),
    )


def test_an_export_reads_back_as_it_was_delivered(shop: Settings, tmp_path: Path) -> None:
    export = tmp_path / "list.csv"
    export.write_text("an earlier one")
    quarantine("ecommerce", shop, export=export)
    assert [path.name for path in tmp_path.glob("*list*")] == ["list.csv"]
    found = read_back(export)
    assert sorted(found[0]) == sorted([*PLATFORM, *DELIVERED])
    assert list(found[0])[: len(PLATFORM)] == PLATFORM
    orders = [row for row in found if row["_entity"] == "orders"]
    rows = {row["order_id"]: row for row in orders if row["_line_number"] is None}
    for order, rules in FAILED.items():
        delivered = raw_rows(shop, f"order_id = '{order}'")
        assert [tuple(rows[order][name] for name in [*ORDERS.split(","), "note"])] == delivered
        assert rows[order]["_reasons"] == rules
        assert rows[order]["_rejected_line"] is None
    assert (rows["3"]["product_id"], rows["3"]["quantity"], rows["3"]["unit_price"]) == (None, "", "  1.00")
    assert rows["3"]["note"] == "two\nlines, 1,2,3,4,5,6\n\nand a blank one"
    assert (rows["4"]["order_date"], rows["4"]["_source_row"]) == ("2023-02-01 ", "4")
    lines = {row["_line_number"]: row for row in orders if row["_line_number"]}
    assert {number: row["_rejected_line"] for number, row in lines.items()} == {
        "8": "cut,off",
        "10": '5,C1,P1,1,1.00,2023-02-01,paid,"never closed',
    }
    assert {name: lines["8"][name] for name in DELIVERED} == dict.fromkeys(DELIVERED)
    # Any other reader sees the same texts, without the difference between NULL and ''.
    with export.open(newline="", encoding="utf-8") as file:
        assert [dict(row) for row in csv.DictReader(file)] == [
            {name: value or "" for name, value in row.items()} for row in found
        ]


@pytest.mark.parametrize("name", ["corrections_1.csv", "corrections.csv"])
def test_an_export_delivered_again_replaces_exactly_what_was_listed(
    shop: Settings, tmp_path: Path, name: str
) -> None:
    export = shop.landing("ecommerce") / name
    quarantine("ecommerce", shop, export=export)
    listed = read_back(export)
    before = raw_rows(shop, f"order_id in {tuple(FAILED)} and _corrects_row_id is null")
    load_domain("ecommerce", shop)
    with duckdb.connect(str(shop.warehouse), read_only=True) as warehouse:
        replaced = warehouse.execute(
            "select 'orders', _corrects_row_id from raw_ecommerce.orders where _source_file = $1 union all "
            "select 'customers', _corrects_row_id from raw_ecommerce.customers where _source_file = $1",
            [name],
        ).fetchall()
    assert sorted(replaced) == sorted((row["_entity"], row["_row_id"]) for row in listed)
    assert raw_rows(shop, f"_source_file = '{name}' and order_id is not null") == before


def test_corrected_rows_are_not_listed(shop: Settings, deliver: Deliver, tmp_path: Path) -> None:
    export = tmp_path / "list.csv"
    quarantine("ecommerce", shop, export=export)
    ids = {row["order_id"] or row["_line_number"]: row["_row_id"] for row in read_back(export)}
    good = "C1,P1,1,1.00,2023-02-01,paid"
    deliver(
        "orders_corrected.csv",
        f"_entity,_row_id,{ORDERS}",
        f"orders,{ids['8']},8,{good}",
        f"orders,{ids['2']},2,{good}",
    )
    # Until the next build the quarantine table still has the row.
    found = quarantine("ecommerce", shop, export=export)
    assert (found.rows, found.rejected_lines) == (3, 1)
    assert sorted(row["order_id"] or row["_line_number"] or row["_entity"] for row in read_back(export)) == [
        "10",
        "3",
        "4",
        "customers",
    ]


def test_a_row_of_another_entity_can_correct_a_rejected_line(shop: Settings, deliver: Deliver) -> None:
    deliver(
        "corrections.csv",
        f"_entity,_row_id,{CUSTOMERS}",
        "customers,,C3,Cy,cy@example.com,,2023-01-03",
        "cut",
    )
    assert quarantine("ecommerce", shop).rejected_lines == 3
    with duckdb.connect(str(shop.warehouse), read_only=True) as warehouse:
        ((row_id,),) = warehouse.execute(
            "select _row_id from raw_ecommerce.rejected_lines where source_file = 'corrections.csv'"
        ).fetchall()
    deliver(
        "corrections_2.csv",
        f"_entity,_row_id,{CUSTOMERS}",
        f"customers,{row_id},C4,Di,di@example.com,,2023-01-03",
    )
    assert quarantine("ecommerce", shop).rejected_lines == 2


def test_replaced_and_unfinished_loads_are_not_listed(shop: Settings, deliver: Deliver) -> None:
    deliver("orders.csv", ORDERS, "2,C1,P1,1,1.00,2023-02-01,paid", "cut,off again,too")
    with connect(shop) as warehouse:
        # A killed load may leave this until the next one.
        warehouse.execute(
            "insert into raw_ecommerce.rejected_lines by name "
            "select * replace ('killed' as _dlt_load_id, 'other' as _row_id) from raw_ecommerce.rejected_lines"
        )
    found = quarantine("ecommerce", shop)
    assert found.by_file == (
        FileCount("customers", "customers.csv", 1, 0),
        FileCount("orders", "orders.csv", 0, 1),
    )


def test_an_empty_quarantine_exports_a_header(
    settings: Settings, deliver: Deliver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver("orders.csv", ORDERS, "1,C1,P1,1,1.00,2023-02-01,paid")
    build(settings)
    export = tmp_path / "list.csv"
    assert main(["quarantine", "ecommerce", "--export", str(export)]) == 0
    assert "no rows in quarantine, no rejected lines" in capsys.readouterr().out
    with export.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[: len(PLATFORM)] == PLATFORM
    assert rows == []


def test_the_command_says_what_to_do_with_an_export(
    shop: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quarantine", "ecommerce", "--export", str(tmp_path / "list.csv")]) == 0
    printed = capsys.readouterr().out
    assert "4 rows in quarantine, 2 rejected lines" in printed
    assert "orders: status_is_known" in printed
    assert "corrections_….csv" in printed
    assert str(shop.landing("ecommerce")) in printed


@pytest.mark.parametrize(
    ("domain", "advice"), [("taxi", "deliver the whole file of its month"), ("news", "corrections_….csv")]
)
def test_the_advice_depends_on_the_resources_of_the_domain(
    settings: Settings, domain: str, advice: str
) -> None:
    file = FileCount("entity", "file.csv", 1, 0)
    assert advice in describe(QuarantineReport(domain, 1, 0, (), (file,), Path("bad.csv")), settings)


def test_another_process_may_read_the_warehouse(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.duckdb_file.connect", None)  # it would wait
    with held(shop.warehouse, read_only=True):
        assert quarantine("ecommerce", shop).rows == 4


def test_a_writer_is_waited_for(shop: Settings) -> None:
    with held(shop.warehouse, seconds=1) as holder:
        assert quarantine("ecommerce", shop).rows == 4
        assert holder.wait() == 0


def test_a_domain_that_was_never_built_is_an_error(
    settings: Settings, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quarantine", "ecommerce"]) == 2
    assert "ecommerce has not been built; run `sluice run ecommerce`" in capsys.readouterr().err
    assert not settings.warehouse.exists()
    deliver("orders.csv", ORDERS, "1,C1,P1,1,1.00,2023-02-01,paid")
    assert main(["quarantine", "ecommerce"]) == 2


def test_an_unknown_domain_is_an_error(settings: Settings) -> None:
    with pytest.raises(UnknownDomainError, match="unknown domain 'nothing'; there are: .*ecommerce"):
        quarantine("nothing", settings)
    assert main(["quarantine", "nothing"]) == 2


def test_an_export_that_cannot_be_written_names_its_file(shop: Settings, tmp_path: Path) -> None:
    with pytest.raises(QuarantineError, match="nowhere/list.csv could not be written"):
        quarantine("ecommerce", shop, export=tmp_path / "nowhere" / "list.csv")


def test_a_killed_export_leaves_the_earlier_one(shop: Settings, tmp_path: Path) -> None:
    export = tmp_path / "list.csv"
    export.write_text("an earlier one")
    point = ("common.atomic_write:sync", "before", 1)
    run_to_death(point, shop, "cli", "quarantine", "ecommerce", "--export", str(export))
    assert export.read_text() == "an earlier one"
    assert len(list(tmp_path.glob(".list.csv.*"))) == 1
    quarantine("ecommerce", shop, export=export)
    assert list(tmp_path.glob(".list.csv.*")) == []
