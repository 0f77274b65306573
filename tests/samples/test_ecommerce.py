import csv
import gzip
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from samples.ecommerce import EXPECTED, TYPICAL_DEFECTS, write_ecommerce
from samples.lines import NO_DEFECTS

ALL_DEFECTS = {kind: 2 + n for n, kind in enumerate(TYPICAL_DEFECTS)}
LOADED_ON = date(2026, 1, 1)
STATUSES = {"placed", "shipped", "delivered", "returned", "cancelled"}
KEYS = {
    "customers": ("customer_id", "updated_at"),
    "products": ("product_id",),
    "orders": ("order_id",),
}


def read(*files: Path) -> tuple[list[dict[str, str]], int]:
    """Rows of an entity's files in the order of the lines, and the number of lines that cannot be split."""
    rows, broken = [], 0
    for file in files:
        header, *lines = file.read_text().splitlines()
        names = header.split(",")
        for line in lines:
            try:
                (values,) = csv.reader([line], strict=True)
            except csv.Error:
                values = []
            if len(values) == len(names):
                rows.append(dict(zip(names, values, strict=True)))
            else:
                broken += 1
    return rows, broken


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def broken_by_customer(row: dict) -> set[str]:
    rules = {
        "customer_id_is_present": row["customer_id"],
        "email_is_valid": re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", row["email"]),
    }
    return {rule for rule, holds in rules.items() if not holds}


def broken_by_product(row: dict) -> set[str]:
    cost = number(row["unit_cost"])
    rules = {
        "product_id_is_present": row["product_id"],
        "product_name_is_present": row["product_name"],
        "category_is_present": row["category"],
        "unit_cost_is_from_0_to_100000": cost is not None and 0 <= cost <= 100_000,
    }
    return {rule for rule, holds in rules.items() if not holds}


def broken_by_order(customers: set[str], products: set[str]) -> Callable[[dict], set[str]]:
    def broken(row: dict) -> set[str]:
        quantity, price, ordered_on = (
            number(row["quantity"]),
            number(row["unit_price"]),
            day(row["order_date"]),
        )
        rules = {
            "order_id_is_present": row["order_id"],
            "customer_id_is_present": row["customer_id"],
            "product_id_is_present": row["product_id"],
            "order_date_is_present": row["order_date"],
            "order_date_is_a_date": not row["order_date"] or ordered_on,
            "order_date_is_not_after_the_load": ordered_on is None or ordered_on <= LOADED_ON,
            "quantity_is_from_1_to_1000": quantity is not None
            and 1 <= quantity <= 1000
            and quantity == int(quantity),
            "unit_price_is_from_0_01_to_100000": price is not None and Decimal("0.01") <= price <= 100_000,
            "status_is_known": row["status"] in STATUSES,
            "customer_exists": not row["customer_id"] or row["customer_id"] in customers,
            "product_exists": not row["product_id"] or row["product_id"] in products,
        }
        return {rule for rule, holds in rules.items() if not holds}

    return broken


def valid_ids(file: Path, key: str, broken_by: Callable[[dict], set[str]]) -> set[str]:
    return {row[key] for row in read(file)[0] if not broken_by(row)}


def checks(folder: Path, name: str = "sample") -> dict[str, Callable[[dict], set[str]]]:
    """Entity → which rules a row of it breaks."""
    customers = valid_ids(folder / f"customers_{name}.csv", "customer_id", broken_by_customer)
    products = valid_ids(folder / f"products_{name}.csv", "product_id", broken_by_product)
    return {
        "customers": broken_by_customer,
        "products": broken_by_product,
        "orders": broken_by_order(customers, products),
    }


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("defects", [ALL_DEFECTS, NO_DEFECTS, {"duplicate": 400, "customer_duplicate": 55}])
def test_fates_are_those_that_an_independent_reader_finds(
    tmp_path: Path, files: int, seed: int, defects: dict
) -> None:
    info = write_ecommerce(tmp_path, orders=1000, files=files, seed=seed, defects=defects)
    broken_by = checks(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(info.files)
    assert [part.entity for part in info.parts] == list(KEYS)
    for part in info.parts:
        rows, rejected = read(*part.files)
        broken = [rules for rules in map(broken_by[part.entity], rows) if rules]
        valid = [row for row in rows if not broken_by[part.entity](row)]
        clean = {tuple(row[column] for column in KEYS[part.entity]) for row in valid}
        assert len(rows) + rejected == part.lines
        assert rejected == part.rejected
        assert len(broken) == part.quarantined
        assert Counter(rule for rules in broken for rule in rules) == part.by_rule
        assert len(valid) - len(clean) == part.superseded
        assert len(clean) == part.clean
    for total in ("lines", "clean", "superseded", "quarantined", "rejected"):
        assert getattr(info, total) == sum(getattr(part, total) for part in info.parts)
    assert info.defects == defects


@pytest.mark.parametrize("entity", EXPECTED)
def test_each_kind_of_defect_breaks_its_rules_and_no_other(tmp_path: Path, entity: str) -> None:
    for kind, row_status in EXPECTED[entity].items():
        info = write_ecommerce(tmp_path, orders=1000, defects={kind: 40})
        rows, rejected = read(*info.part(entity).files)
        broken = [rules for rules in map(checks(tmp_path)[entity], rows) if rules]
        assert broken == [set(row_status.rules)] * (40 if row_status.rules else 0), kind
        assert rejected == (40 if row_status.name == "rejected" else 0), kind


def test_each_kind_of_unusable_value_is_there(tmp_path: Path) -> None:
    names = ("bad_quantity", "bad_unit_price", "unknown_status", "bad_order_date", "bad_unit_cost")
    write_ecommerce(tmp_path, orders=1000, defects=dict.fromkeys(names, 60))
    orders, products = (read(tmp_path / f"{entity}_sample.csv")[0] for entity in ("orders", "products"))
    assert {row["quantity"] for row in orders} >= {"0", "-1", "1001", "two", "1.5", ""}
    assert {row["unit_price"] for row in orders} >= {"0", "-5", "100000.01", "free", ""}
    assert {row["status"] for row in orders} == STATUSES | {"lost", ""}
    assert {row["order_date"] for row in orders} >= {"2024-02-30", "soon"}
    assert {row["unit_cost"] for row in products} >= {"-1", "n/a", ""}


def test_a_duplicate_is_identical_to_an_earlier_line(tmp_path: Path) -> None:
    info = write_ecommerce(
        tmp_path, orders=1000, files=2, defects={"duplicate": 100, "customer_duplicate": 50}
    )
    orders = read(*info.part("orders").files)[0]
    assert len({tuple(row.values()) for row in orders}) == len({row["order_id"] for row in orders}) == 900
    # The later line stands where its own order would have been.
    numbers = [int(row["order_id"].removeprefix("O")) for row in orders]
    late = [n for n, (found, place) in enumerate(zip(numbers, range(1, 1001), strict=True)) if found < place]
    assert len(late) == 100
    customers = read(tmp_path / "customers_sample.csv")[0]
    keys = {(row["customer_id"], row["updated_at"]) for row in customers}
    assert len(customers) - 50 == len({tuple(row.values()) for row in customers}) == len(keys)


def test_one_customer_in_ten_has_moved_and_keeps_its_history(tmp_path: Path) -> None:
    write_ecommerce(tmp_path, orders=1000, customers=5000, only=["customers"], defects={"bad_email": 9})
    lines: dict[str, list[dict]] = {}
    for row in read(tmp_path / "customers_sample.csv")[0]:
        lines.setdefault(row["customer_id"], []).append(row)
    moved = [rows for rows in lines.values() if len(rows) > 1]
    assert (len(lines), len(moved)) == (5009, 500)
    months = Counter()
    for before, after in moved:
        assert before["region"] != after["region"]
        assert (before["name"], before["email"]) == (after["name"], after["email"])
        first, second = (datetime.strptime(row["updated_at"], "%Y-%m-%d %H:%M:%S") for row in (before, after))
        assert first < datetime(2023, 2, 1) <= second < datetime(2025, 1, 1)
        months[second.year, second.month] += 1
    assert len(months) == 23  # February 2023 to December 2024
    assert max(months.values()) < 3 * 500 / 23


def test_orders_refer_to_many_customers_and_to_every_product(tmp_path: Path) -> None:
    write_ecommerce(tmp_path, orders=5000, defects=TYPICAL_DEFECTS)
    orders = read(tmp_path / "orders_sample.csv")[0]
    assert len({row["customer_id"] for row in orders}) > 240  # of 250
    assert len({row["product_id"] for row in orders} - {""}) > 45  # of 50


def test_orders_are_numbered_by_line_and_dated_evenly(tmp_path: Path) -> None:
    # More lines than DuckDB gives to one thread at a time (122,880).
    write_ecommerce(tmp_path, orders=146_200, only=["orders"], defects=NO_DEFECTS)
    orders = read(tmp_path / "orders_sample.csv")[0]
    assert [row["order_id"] for row in orders] == [f"O{n:08}" for n in range(1, 146_201)]
    days = [row["order_date"] for row in orders]
    assert days == sorted(days)
    assert (days[0], days[-1]) == ("2023-01-01", "2024-12-31")
    assert set(Counter(days).values()) == {200}


def test_prices_are_mostly_above_cost(tmp_path: Path) -> None:
    write_ecommerce(tmp_path, orders=5000, defects=NO_DEFECTS)
    cost = {row["product_id"]: row["unit_cost"] for row in read(tmp_path / "products_sample.csv")[0]}
    orders = read(tmp_path / "orders_sample.csv")[0]
    assert all(re.fullmatch(r"\d+\.\d\d", text) for text in cost.values())
    assert all(re.fullmatch(r"\d+\.\d\d", row["unit_price"]) for row in orders)
    margins = [Decimal(row["unit_price"]) / Decimal(cost[row["product_id"]]) - 1 for row in orders]
    assert min(margins) < 0
    assert max(margins) < Decimal("1.3")
    assert 0.9 < sum(margin > 0 for margin in margins) / 5000 < 1
    assert sum(int(row["quantity"]) <= 5 for row in orders) > 0.9 * 5000


def test_ids_of_any_size_are_written_whole(tmp_path: Path) -> None:
    write_ecommerce(
        tmp_path, orders=100, customers=12_345_678, first_id=99_999_950, only=["orders"], defects=NO_DEFECTS
    )
    orders = read(tmp_path / "orders_sample.csv")[0]
    assert (orders[0]["order_id"], orders[-1]["order_id"]) == ("O99999950", "O100000049")
    assert max(len(row["customer_id"]) for row in orders) == 9


def test_a_second_day_of_orders_fits_the_first(tmp_path: Path) -> None:
    write_ecommerce(tmp_path, orders=2000, customers=300, products=80)
    first = {file: file.read_bytes() for file in tmp_path.iterdir()}
    second = write_ecommerce(
        tmp_path,
        orders=1000,
        customers=300,
        products=80,
        name="day_2",
        first_id=2001,
        first_day=date(2025, 1, 1),
        days=1,
        only=["orders"],
    )
    assert [file.name for file in second.files] == ["orders_day_2.csv"]
    assert all(file.read_bytes() == content for file, content in first.items())

    rows, rejected = read(*second.files)
    broken = [rules for rules in map(checks(tmp_path)["orders"], rows) if rules]
    assert Counter(rule for rules in broken for rule in rules) == second.part("orders").by_rule
    assert rejected == second.rejected
    assert {row["order_id"] for row in rows} & {
        row["order_id"] for row in read(tmp_path / "orders_sample.csv")[0]
    } == {""}  # the defect
    assert Counter(row["order_date"] for row in rows)["2025-01-01"] == 1000 - 10 - 15  # two kinds have none
    assert second.defects.keys() == EXPECTED["orders"].keys()


def test_further_orders_are_other_orders(tmp_path: Path) -> None:
    for first_id in (1, 1001):
        write_ecommerce(tmp_path / str(first_id), orders=1000, first_id=first_id, only=["orders"])
    one, two = (
        [line.split(",", 1)[1] for line in (tmp_path / name / "orders_sample.csv").read_text().splitlines()]
        for name in ("1", "1001")
    )
    assert sum(a == b for a, b in zip(one, two, strict=True)) < 20


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_ecommerce(tmp_path / folder, orders=130_000, seed=seed)
    for entity in EXPECTED:
        a, b, c = ((tmp_path / folder / f"{entity}_sample.csv").read_bytes() for folder in "abc")
        assert a == b
        assert a != c


def test_lines_do_not_depend_on_compression_or_number_of_files(tmp_path: Path) -> None:
    write_ecommerce(tmp_path / "a", orders=999)
    write_ecommerce(tmp_path / "b", orders=999, files=2, gz=True)
    unpacked = {
        file.name: gzip.decompress(file.read_bytes()).decode().splitlines()
        for file in (tmp_path / "b").iterdir()
    }
    assert unpacked.keys() == {
        "customers_sample.csv.gz",
        "products_sample.csv.gz",
        "orders_sample_001.csv.gz",
        "orders_sample_002.csv.gz",
    }
    for entity in ("customers", "products"):
        lines = (tmp_path / "a" / f"{entity}_sample.csv").read_text().splitlines()
        assert unpacked[f"{entity}_sample.csv.gz"] == lines
    header, *lines = (tmp_path / "a" / "orders_sample.csv").read_text().splitlines()
    first, second = (unpacked[f"orders_sample_00{n}.csv.gz"] for n in (1, 2))
    assert [first[0], second[0]] == [header, header]
    assert first[1:] + second[1:] == lines


def test_numbers_of_customers_and_products_follow_the_orders(tmp_path: Path) -> None:
    lines = {
        orders: [
            write_ecommerce(tmp_path, orders=orders, only=["customers", "products"], defects=NO_DEFECTS)
            .part(entity)
            .lines
            for entity in ("customers", "products")
        ]
        for orders in (100, 20_000, 1_000_000)
    }
    assert lines == {100: [55, 50], 20_000: [1100, 200], 1_000_000: [55_000, 5000]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"only": ["flood"]},
        {"only": []},
        {"defects": {"flood": 1}},
        {"defects": {"cut_off": -1}},
        {"orders": 3, "defects": {"duplicate": 2}},
        {"customers": 10, "defects": {"customer_duplicate": 12}},
        {"customers": 0},
        {"files": 0},
        {"days": 0},
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(ValueError, match="no such|too few|negative|at least one"):
        write_ecommerce(tmp_path, **({"orders": 1000} | wrong))
    assert not any(tmp_path.iterdir())
