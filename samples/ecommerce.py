"""Shop files: customers as a log of changes, products, and orders that refer to both; all made up.

Orders refer to customers and products that have a valid line, whatever the defects are. A further day of
orders fits the customers and products of the first if it is written with the same numbers of them.
"""

import argparse
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from samples import lines
from samples.delivery import REJECTED, SUPERSEDED, Delivery, ExpectedStatus, Part, quarantined_by
from samples.ecommerce_values import CHOICES

_BAD_QUANTITY = "quantity_is_from_1_to_1000"
_BAD_PRICE = "unit_price_is_from_0_01_to_100000"
_BAD_STATUS = "status_is_known"

#: Entity → kind of defect → what must become of the line that has it. A duplicate is identical in all columns
#: to an earlier line, which it supersedes. Of customers and products the defective lines are additional,
#: and no order refers to what stands only there.
EXPECTED: Mapping[str, Mapping[str, ExpectedStatus]] = {
    "customers": {
        "customer_missing_id": quarantined_by("customer_id_is_present"),
        "bad_email": quarantined_by("email_is_valid"),
        "customer_duplicate": SUPERSEDED,
    },
    "products": {
        "product_missing_id": quarantined_by("product_id_is_present"),
        "missing_product_name": quarantined_by("product_name_is_present"),
        "missing_category": quarantined_by("category_is_present"),
        "bad_unit_cost": quarantined_by("unit_cost_is_from_0_to_100000"),
    },
    "orders": {
        "missing_order_id": quarantined_by("order_id_is_present"),
        "missing_customer_id": quarantined_by("customer_id_is_present"),
        "missing_product_id": quarantined_by("product_id_is_present"),
        "missing_order_date": quarantined_by("order_date_is_present"),
        "bad_order_date": quarantined_by("order_date_is_a_date"),
        "future_order_date": quarantined_by("order_date_is_not_after_the_load"),
        "bad_quantity": quarantined_by(_BAD_QUANTITY),
        "bad_unit_price": quarantined_by(_BAD_PRICE),
        "unknown_status": quarantined_by(_BAD_STATUS),
        "unknown_customer": quarantined_by("customer_exists"),
        "unknown_product": quarantined_by("product_exists"),
        "three_rules": quarantined_by(_BAD_QUANTITY, _BAD_PRICE, _BAD_STATUS),
        "duplicate": SUPERSEDED,
        "cut_off": REJECTED,
        "open_quote": REJECTED,
    },
}
TYPICAL_DEFECTS = {kind: 5 for statuses in EXPECTED.values() for kind in statuses}

#: One customer in this many moved to another region, and so has a second line.
_ONE_MOVED_IN = 10

_MACROS = f"""
create temp macro customer_id(number) as format('C{{:07d}}', number);
create temp macro product_id(number) as format('P{{:05d}}', number);
create temp macro money(cents) as (cents::decimal(12, 0) * 0.01::decimal(2, 2))::text;

create temp macro unit_cost(product) as
    pick(product, 'category', getvariable('costs')) * (50 + roll(product, 'cost', 101)) // 100;
-- Discounts are up to 45 %, so that a few orders are sold below cost.
create temp macro unit_price(product, discount) as
    unit_cost(product) * (130 + roll(product, 'markup', 91)) * (100 - discount) // 10000;

create temp macro mover(move) as
    1 + move * {_ONE_MOVED_IN} + roll(move, 'mover', {_ONE_MOVED_IN});
create temp macro another(thing, what, choices, step) as
    choices[1 + (roll(thing, what, len(choices)) + step) % len(choices)];
"""

# Each query makes one text column that holds the whole line: a broken line cannot be written by way of columns.
# Regular lines are numbered without the additional ones; those have the numbers after the last regular one.
_CUSTOMERS = """
with numbered as (
    select
        defect,
        line - defects_before(line) as regular_line,
        defect is null or defect = 'customer_duplicate' as is_regular,
        is_regular and regular_line >= getvariable('customers') as has_moved,
        case
            when has_moved then mover(regular_line - getvariable('customers'))
            when is_regular then 1 + regular_line
            else 1 + getvariable('customers') + defects_before(line)
        end as customer
    from lines({first}, {last})
),

texts as (
    select
        *,
        pick(customer, 'first name', getvariable('first_names')) as first_name,
        pick(customer, 'last name', getvariable('last_names')) as last_name,
        replace(first_name || '.' || last_name, '''', '') || customer as mailbox
    from numbered
)

select concat_ws(
    ',',
    if(defect = 'customer_missing_id', '', customer_id(customer)),
    first_name || ' ' || last_name,
    if(
        defect = 'bad_email',
        pick(customer, 'email', ['unknown', 'at example.com', '@example.com', 'somebody@']),
        replace(lower(strip_accents(mailbox)), 'ı', 'i') || '@example.com'
    ),
    another(customer, 'region', getvariable('regions'), if(has_moved, 1 + roll(customer, 'move', 4), 0)),
    -- First seen in January 2023; moves are spread evenly over the rest of 2023 and 2024.
    if(
        has_moved,
        timestamp '2023-02-01' + to_seconds(roll(customer, 'moved at', 700 * 86400)),
        timestamp '2023-01-01' + to_seconds(roll(customer, 'seen at', 31 * 86400))
    )::text
) as "customer_id,name,email,region,updated_at"
from texts
"""

_PRODUCTS = """
with numbered as (
    select
        defect,
        if(
            defect is null,
            1 + line - defects_before(line),
            1 + getvariable('products') + defects_before(line)
        ) as product
    from lines({first}, {last})
),

texts as (
    select
        *,
        pick(product, 'noun', pick(product, 'category', getvariable('nouns'))) as noun,
        pick(product, 'style', getvariable('styles')) as style
    from numbered
)

select concat_ws(
    ',',
    if(defect = 'product_missing_id', '', product_id(product)),
    case
        when defect = 'missing_product_name' then ''
        when roll(product, 'comma', 10) = 0 then '"' || noun || ' ' || product || ', ' || style || '"'
        else style || ' ' || noun || ' ' || product
    end,
    if(defect = 'missing_category', '', pick(product, 'category', getvariable('categories'))),
    if(
        defect = 'bad_unit_cost',
        pick(product, 'bad cost', ['-1', 'n/a', '']),
        money(unit_cost(product))
    )
) as "product_id,product_name,category,unit_cost"
from texts
"""

_ORDERS = """
with numbered as (
    select
        *,
        getvariable('first_id') + line as number
    from lines({first}, {last})
),

drawn as (
    select
        *,
        customer_id(1 + roll(number, 'customer', getvariable('customers'))) as customer,
        -- The lower of two throws: the first products sell best.
        1 + least(
            roll(number, 'product', getvariable('products')), roll(number, 'more', getvariable('products'))
        ) as product,
        pick(number, 'quantity', getvariable('quantities')) as quantity,
        pick(number, 'status', getvariable('statuses')) as status
    from numbered
),

halves as (
    select
        defect,
        concat_ws(
            ',',
            if(defect = 'missing_order_id', '', format('O{{:08d}}', number)),
            case defect
                when 'missing_customer_id' then ''
                when 'unknown_customer' then customer || 'X'
                else customer
            end,
            case defect
                when 'missing_product_id' then ''
                when 'unknown_product' then product_id(product) || 'X'
                when 'open_quote' then '"' || product_id(product)
                else product_id(product)
            end
        ) as first_half,
        concat_ws(
            ',',
            if(
                defect in ('bad_quantity', 'three_rules'),
                pick(number, 'bad quantity', ['0', '-1', '1001', 'two', '1.5', '']),
                quantity::text
            ),
            if(
                defect in ('bad_unit_price', 'three_rules'),
                pick(number, 'bad price', ['0', '-5', '100000.01', 'free', '']),
                money(unit_price(product, pick(number, 'discount', getvariable('discounts'))))
            ),
            case defect
                when 'missing_order_date' then ''
                when 'bad_order_date' then pick(number, 'bad date', ['2024-02-30', 'soon'])
                when 'future_order_date' then (date '2049-01-01' + roll(number, 'future', 365))::text
                else (getvariable('first_day') + (line * getvariable('days') // getvariable('orders'))::int)::text
            end,
            if(
                defect in ('unknown_status', 'three_rules'),
                pick(number, 'bad status', ['lost', '']),
                status
            )
        ) as second_half
    from drawn
)

select first_half || if(defect = 'cut_off', '', ',' || second_half)
    as "order_id,customer_id,product_id,quantity,unit_price,order_date,status"
from halves
"""

_QUERIES = {"customers": _CUSTOMERS, "products": _PRODUCTS, "orders": _ORDERS}


def write_ecommerce(
    folder: Path,
    *,
    orders: int = 20_000,
    customers: int | None = None,
    products: int | None = None,
    files: int = 1,
    gz: bool = False,
    seed: int = 1,
    name: str = "sample",
    first_id: int = 1,
    first_day: date = date(2023, 1, 1),
    days: int = 731,
    only: Iterable[str] = tuple(EXPECTED),
    defects: Mapping[str, int] = TYPICAL_DEFECTS,
) -> Delivery:
    """Write customers, products and orders; the same arguments write the same lines.

    Args:
        folder: where to write `customers_<name>.csv`, `products_<name>.csv` and `orders_<name>.csv`, each
            replaced as a whole.
        orders: data lines over all files of orders, defective ones included.
        customers: customers to whom orders refer (default: one for 20 orders, 50 at least). One in ten has
            two lines.
        products: products to which orders refer (default: one for 100 orders, from 50 to 5,000).
        files: number of files over which the orders are spread evenly; more than one are numbered. Of two
            lines with one order_id the later is in the same or in a later file.
        gz: compress all files.
        seed: another seed gives other customers, products and orders under the same ids.
        name: part of the files' names; choose another for a further delivery to the same folder.
        first_id: number in the first order_id; they run from here, one a line. Choose another for a further
            delivery.
        first_day: order_date of the first order; the dates rise evenly with the lines.
        days: length of the period of the order dates.
        only: the entities to write. Orders alone refer to the customers and products that the same
            `customers`, `products` and `seed` write.
        defects: kind of defect (a key of EXPECTED) → number of lines. A line has one defect at most. Kinds of
            entities that are not written are left out.

    Raises:
        ValueError: an unknown entity or defect, a number that is too low, or too few orders, customers or
            products for the defects.
    """
    entities = [entity for entity in EXPECTED if entity in (only := set(only))]
    lines.raise_if_unknown("entity", only, EXPECTED)
    lines.raise_if_unknown("defects", defects, TYPICAL_DEFECTS)
    customers = max(50, orders // 20) if customers is None else customers
    products = min(max(50, orders // 100), 5_000) if products is None else products
    if not entities or min(orders, customers, products, files, days) < 1 or first_id < 0:
        raise ValueError("at least one entity, order, customer, product, file and day is needed")

    wanted = {
        entity: {kind: n for kind, n in defects.items() if kind in EXPECTED[entity]} for entity in entities
    }
    additional = {entity: sum(kinds.values()) for entity, kinds in wanted.items()} | {"orders": 0}
    regular = {
        "customers": customers + customers // _ONE_MOVED_IN,
        "products": products,
        "orders": orders,
    }
    rows = {entity: regular[entity] + additional[entity] for entity in entities}
    chosen = {
        entity: lines.slots(
            wanted[entity],
            rows[entity],
            seed,
            duplicate="customer_duplicate" if entity == "customers" else "duplicate",
        )
        for entity in entities
    }

    suffix = ".csv.gz" if gz else ".csv"
    paths: dict[str, tuple[Path, ...]] = {
        entity: (folder / f"{entity}_{name}{suffix}",) for entity in entities
    }
    if "orders" in entities and files > 1:
        paths["orders"] = tuple(folder / f"orders_{name}_{k:03}{suffix}" for k in range(1, files + 1))
    with lines.generator(seed, CHOICES, _MACROS) as connection:
        lines.set_variables(
            connection,
            orders=orders,
            customers=customers,
            products=products,
            first_id=first_id,
            first_day=first_day,
            days=days,
        )
        for entity in entities:
            lines.use(connection, chosen[entity])
            lines.write(connection, _QUERIES[entity], rows[entity], paths[entity])
    return Delivery(
        "ecommerce",
        tuple(
            Part(entity, paths[entity], rows[entity], wanted[entity], EXPECTED[entity]) for entity in entities
        ),
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this domain has."""
    parser.add_argument("--orders", type=int, default=20_000, help="lines over all files of orders")
    parser.add_argument("--customers", type=int, help="customers (default: orders / 20, at least 50)")
    parser.add_argument("--products", type=int, help="products (default: orders / 100, from 50 to 5,000)")
    parser.add_argument("--files", type=int, default=1, help="number of files of orders")
    parser.add_argument("--gz", action="store_true", help="compress the files")
    parser.add_argument("--name", default="sample", help="part of the files' names")
    parser.add_argument("--first-id", type=int, default=1, help="number in the first order_id")
    parser.add_argument(
        "--first-day", type=date.fromisoformat, default=date(2023, 1, 1), help="order_date of the first order"
    )
    parser.add_argument("--days", type=int, default=731, help="length of the period of the order dates")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        action="extend",
        metavar="ENTITY,…",
        help=f"write only these of {', '.join(EXPECTED)}; can be repeated",
    )
    lines.add_defects_option(parser, TYPICAL_DEFECTS)


def deliver(folder: Path, options: argparse.Namespace) -> Delivery:
    """Write the files that the options of `add_options` ask for."""
    asked = lines.options_for(options, write_ecommerce)
    return write_ecommerce(folder, **asked | {"only": options.only or EXPECTED})
