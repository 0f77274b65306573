"""Daily sales of a shop's stores, one file a day; all made up.

They name the products of the sample API (`sluice samples serve`), which are numbered from 1.
"""

import argparse
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from samples import lines
from samples.delivery import REJECTED, Delivery, ExpectedStatus, Part, quarantined_by

_BAD_QUANTITY = "quantity_is_from_1_to_100000"
_BAD_PRICE = "price_is_from_0_01_to_100000"
_BAD_PRODUCT = "product_id_is_a_number"

#: Kind of defect → what must become of the line that has it.
EXPECTED: Mapping[str, ExpectedStatus] = {
    "missing_date": quarantined_by("date_is_present"),
    "bad_date": quarantined_by("date_is_a_date"),
    "future_date": quarantined_by("date_is_not_after_the_load"),
    "missing_store": quarantined_by("store_is_present"),
    "bad_product": quarantined_by(_BAD_PRODUCT),
    "bad_quantity": quarantined_by(_BAD_QUANTITY),
    "bad_price": quarantined_by(_BAD_PRICE),
    "three_rules": quarantined_by(_BAD_PRODUCT, _BAD_QUANTITY, _BAD_PRICE),
    "cut_off": REJECTED,
    "open_quote": REJECTED,
}
TYPICAL_DEFECTS = dict.fromkeys(EXPECTED, 5)

CHOICES = {
    "stores": ["Airport", "Harbour", "Market Square", "North Gate", "Station"],
    "quantities": lines.weighted({1: 40, 2: 25, 3: 15, 4: 8, 5: 6, 10: 4, 24: 2}),
    "discounts": lines.weighted({0: 80, 10: 12, 25: 8}),
}

# One text column that holds the whole line: a broken line cannot be written by way of columns.
_LINES = """
with sales as (
    select
        defect,
        line,
        -- The lines of a file are those of a day.
        getvariable('first_day') + (((line + 1) * {files} - 1) // {lines})::int as day,
        pick(line, 'store', getvariable('stores')) as store,
        1 + roll(line, 'product', {products}) as product,
        (499 + roll(product, 'price', 5500)) * (100 - pick(line, 'discount', getvariable('discounts'))) // 100 as cents
    from lines({first}, {last})
)

select concat_ws(
    ',',
    case defect
        when 'missing_date' then ''
        when 'bad_date' then pick(line, 'bad date', ['2024-02-30', 'soon'])
        when 'future_date' then (date '2049-01-01' + roll(line, 'future', 365))::text
        else day::text
    end,
    if(defect = 'open_quote', '"', '') || if(defect = 'missing_store', '', store),
    if(defect in ('bad_product', 'three_rules'), pick(line, 'bad product', ['', 'cup', '1.5']), product::text),
    case
        when defect = 'cut_off' then null
        when defect in ('bad_quantity', 'three_rules') then
            pick(line, 'bad quantity', ['0', '-1', '100001', 'two', '1.5', ''])
        else pick(line, 'quantity', getvariable('quantities'))::text
    end,
    case
        when defect = 'cut_off' then null
        when defect in ('bad_price', 'three_rules') then
            pick(line, 'bad price', ['0', '-5', '100000.01', 'free', ''])
        else (cents::decimal(12, 0) * 0.01::decimal(2, 2))::text
    end
) as "date,store,product_id,quantity,price"
from sales
"""


def write_sales(
    folder: Path,
    *,
    rows: int = 2_000,
    days: int = 10,
    first_day: date = date(2024, 1, 1),
    products: int = 200,
    seed: int = 1,
    defects: Mapping[str, int] = TYPICAL_DEFECTS,
) -> Delivery:
    """Write sales, one file a day; the same arguments write the same lines.

    Args:
        folder: where to write `sales_<day>.csv`, each replaced as a whole.
        rows: data lines over all files, defective ones included.
        days: number of days, and of files.
        first_day: the first of them.
        products: the products that are sold are numbered from 1 to this.
        seed: another seed gives other sales.
        defects: kind of defect (a key of EXPECTED) → number of lines. A line has one defect at most.

    Raises:
        ValueError: an unknown defect, a number that is too low, or too few rows for the defects.
    """
    lines.raise_if_unknown("defects", defects, EXPECTED)
    if min(rows, days, products) < 1:
        raise ValueError("at least one row, day and product is needed")
    chosen = lines.slots(defects, rows, seed)
    paths = tuple(folder / f"sales_{first_day + timedelta(day)}.csv" for day in range(days))
    with lines.generator(seed, CHOICES) as connection:
        lines.set_variables(connection, first_day=first_day)
        lines.use(connection, chosen)
        lines.write(connection, _LINES, rows, paths, lines=rows, files=days, products=products)
    return Delivery("sales", (Part("sales", paths, rows, dict(defects), EXPECTED),))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this domain has."""
    parser.add_argument("--rows", type=int, default=2_000, help="data lines over all files")
    parser.add_argument("--days", type=int, default=10, help="number of days, one file each")
    parser.add_argument(
        "--first-day", type=date.fromisoformat, default=date(2024, 1, 1), help="the first of them"
    )
    parser.add_argument("--products", type=int, default=200, help="number of products that are sold")
    lines.add_defects_option(parser, TYPICAL_DEFECTS)


def deliver(folder: Path, options: argparse.Namespace) -> Delivery:
    """Write the files that the options of `add_options` ask for."""
    return write_sales(folder, **lines.options_for(options, write_sales))
