"""Sample sales: each defect as often as asked for, and statuses that an independent reader finds."""

import csv
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from samples.lines import NO_DEFECTS
from samples.sales import EXPECTED, write_sales

ALL_DEFECTS = {kind: 3 + n for n, kind in enumerate(EXPECTED)}


def split(line: str) -> list[str] | None:
    """Columns of a line; None where it has no five of them."""
    try:
        (columns,) = csv.reader([line], strict=True)
    except csv.Error:
        return None
    return columns if len(columns) == 5 else None


def is_usable(columns: list[str]) -> bool:
    day, store, product, quantity, price = columns
    try:
        return (
            datetime.strptime(day, "%Y-%m-%d") < datetime(2030, 1, 1)
            and store != ""
            and int(product) > 0
            and 1 <= int(quantity) <= 100_000
            and Decimal("0.01") <= Decimal(price) <= 100_000
        )
    except (ValueError, InvalidOperation):
        return False


@pytest.mark.parametrize("defects", [ALL_DEFECTS, NO_DEFECTS, {"cut_off": 40}])
def test_fates_are_those_that_an_independent_reader_finds(tmp_path: Path, defects: dict) -> None:
    made = write_sales(tmp_path, rows=1000, days=7, seed=3, defects=defects)
    lines = [line for file in made.files for line in file.read_text().splitlines()[1:]]
    whole = [columns for columns in map(split, lines) if columns]
    usable = [columns for columns in whole if is_usable(columns)]
    assert len(lines) == made.lines == 1000
    assert len(lines) - len(whole) == made.rejected
    assert len(whole) - len(usable) == made.quarantined
    assert len(usable) == made.clean
    assert {int(columns[2]) for columns in usable} <= set(range(1, 201))


def test_a_file_has_the_sales_of_its_day_in_several_stores(tmp_path: Path) -> None:
    made = write_sales(tmp_path, rows=1001, days=6, first_day=date(2024, 2, 27), defects=NO_DEFECTS)
    assert [path.name for path in made.files][:3] == [f"sales_2024-02-{day}.csv" for day in (27, 28, 29)]
    for path in made.files:
        header, *rows = [split(line) for line in path.read_text().splitlines()]
        assert header == ["date", "store", "product_id", "quantity", "price"]
        assert {row[0] for row in rows} == {path.stem.removeprefix("sales_")}
        assert len({row[1] for row in rows}) == 5


def test_same_seed_same_bytes_and_another_seed_other_sales(tmp_path: Path) -> None:
    contents = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        made = write_sales(tmp_path / folder, rows=500, days=3, seed=seed)
        contents.append([path.read_bytes() for path in made.files])
    assert contents[0] == contents[1]
    assert all(one != other for one, other in zip(contents[0], contents[2], strict=True))


@pytest.mark.parametrize(
    "wrong", [{"defects": {"flood": 1}}, {"rows": 3, "defects": {"cut_off": 4}}, {"days": 0}, {"products": 0}]
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(ValueError, match="no such|too few|at least"):
        write_sales(tmp_path, **wrong)
    assert not any(tmp_path.iterdir())
