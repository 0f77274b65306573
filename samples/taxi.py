"""Yellow taxi trips in the format of New York's TLC, one file a month; the trips themselves are made up.

Clean lines never repeat one another. Pick-ups rise with the lines, so that trips which begin in one second
are neighbours; there are fewer than 60 of them, and the seconds of a duration are the line's number modulo
60. The few pick-ups just outside the month have a second each.
"""

import argparse
import calendar
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from samples import lines
from samples import taxi_values as values
from samples.delivery import REJECTED, SUPERSEDED, Delivery, ExpectedStatus, Part, quarantined_by

_BAD_VENDOR = "vendor_is_known"
_BAD_DISTANCE = "distance_is_from_0_to_500_miles"
_BAD_FARE = "fare_is_within_10000"

#: Kind of defect → what must become of the line that has it. A duplicate is identical in all columns to an
#: earlier line of its file. No pick-up but that of `other_month` is more than a day outside the file's month.
EXPECTED: Mapping[str, ExpectedStatus] = {
    "duplicate": SUPERSEDED,
    "bad_vendor": quarantined_by(_BAD_VENDOR),
    "bad_rate_code": quarantined_by("rate_code_is_known"),
    "bad_payment_type": quarantined_by("payment_type_is_known"),
    "bad_pickup": quarantined_by("pickup_is_a_time"),
    "bad_dropoff": quarantined_by("dropoff_is_a_time"),
    "backwards": quarantined_by("pickup_is_before_dropoff"),
    "other_month": quarantined_by("pickup_is_in_the_files_month"),
    "long": quarantined_by("duration_is_under_24_hours"),
    "bad_distance": quarantined_by(_BAD_DISTANCE),
    "bad_fare": quarantined_by(_BAD_FARE),
    "bad_total": quarantined_by("total_is_within_10000"),
    "three_rules": quarantined_by(_BAD_VENDOR, _BAD_DISTANCE, _BAD_FARE),
    "cut_off": REJECTED,
    "open_quote": REJECTED,
}
TYPICAL_DEFECTS = dict.fromkeys(EXPECTED, 5)

SUFFIXES = (".csv", ".csv.gz", ".parquet")

#: Up to this many no second has 60 pick-ups: the busiest percent of a day, of 514 seconds, has 17,858 of them
#: in a February.
MOST_ROWS = 50_000_000

#: One pick-up in this many is in the day before the month or in the day after it.
_ONE_STRAY_IN = 5_000

_MACROS = """
-- The lower bits of one thing's hashes tell each other: of two rolls with even sides, one would say whether
-- the other is odd, and all refunds would be paid alike.
create or replace temp macro roll(thing, what, sides) as
    ((hash(thing, what, getvariable('seed')) >> 20) % sides::ubigint)::int;
-- As the real files have them: 10.0, 6.5, 1.95. By way of decimals, since floats take three times as long.
create temp macro dollars(cents) as if(
    cents % 10 = 0,
    ((cents // 10)::decimal(12, 0) * 0.1::decimal(2, 1))::text,
    (cents::decimal(12, 0) * 0.01::decimal(2, 2))::text
);
create temp macro bad_time(trip, what) as pick(trip, what, ['', 'soon', '2024-02-30 10:00:00']);
create temp macro bad_amount(trip, what) as pick(trip, what, ['10000.01', '-10000.01', '']);
"""

# Each column as the text that it has in a CSV file; Parquet has what these texts are as the column's type.
_TEXTS = f"""
with numbered as (
    select
        defect,
        line as trip,
        -- Per cent of a day by per cent: none of them is longer than an hour.
        line * {{days}} * 100 // {{lines}} as percent,
        line * {{days}} * 100 % {{lines}} as within_percent,
        getvariable('percents')[1 + percent % 100] as percent_from,
        getvariable('percents')[2 + percent % 100] as percent_to,
        line // {_ONE_STRAY_IN} as stretch,
        line % {_ONE_STRAY_IN} = roll(stretch, 'stray', {_ONE_STRAY_IN}) as is_stray,
        roll(line, 'minutes', 89) as minutes,
        -- Mostly short, and under 90 minutes; the seconds tell neighbours apart.
        60 * (1 + minutes * minutes * roll(line, 'more minutes', 90) // (89 * 90)) + line % 60 as duration,
        roll(line, 'blank', 100) = 0 as is_blank,
        not is_blank and roll(line, 'refund', 250) = 0 as is_refund,
        case
            when is_blank then ''
            when is_refund then pick(line, 'payment of refund', ['3', '4'])
            else pick(line, 'payment', getvariable('payments'))
        end as payment_type,
        pick(line, 'from', getvariable('zones')) as pickup_location_id
    from lines({{first}}, {{last}})
),

timed as (
    select
        *,
        -- Seconds since the month began.
        case
            when is_stray
                then stretch * 86400 // (1 + {{lines}} // {_ONE_STRAY_IN})
                    + if(roll(stretch, 'after', 2) = 0, -86400, {{days}} * 86400)
            else percent // 100 * 86400
                + percent_from + (percent_to - percent_from) * within_percent // {{lines}}
        end as regular_pickup,
        (regular_pickup + 86400) % 86400 // 3600 as hour,
        case
            when defect is distinct from 'other_month' then regular_pickup
            when roll(trip, 'later', 2) = 0 then -roll(trip, 'far', 397 * 86400) - 3 * 86400
            else roll(trip, 'far', 397 * 86400) + (3 + {{days}}) * 86400
        end as pickup,
        pickup + case defect
            when 'backwards' then -roll(trip, 'equal', 4) * roll(trip, 'back', 1800)
            when 'long' then 86400 + roll(trip, 'day', 4) * roll(trip, 'longer', 86400)
            else duration
        end as dropoff,
        -- Hundredths of a mile, at 6 to 24 miles an hour.
        duration * (10 + roll(trip, 'speed', 31)) // 60 as distance
    from numbered
),

priced as (
    select
        *,
        if(is_refund, -1, 1) as sign,
        sign * (300 + 70 * (distance // 20)) as fare,
        sign * case
            when hour >= 20 or hour < 6 then 100
            when hour >= 16 then 250
            else 0
        end as extra,
        if(
            (is_blank or payment_type = '1') and roll(trip, 'tips', 20) > 0,
            abs(fare) * (10 + roll(trip, 'tip', 21)) // 100,
            0
        ) as tip,
        sign * if(roll(trip, 'tolls', 20) = 0, 694, 0) as tolls,
        sign * if(roll(trip, 'congestion', 12) = 0, 0, 250) as congestion,
        sign * if({{airport_fee}} and pickup_location_id in (132, 138), 175, 0) as airport,
        -- With the tax and the improvement surcharge.
        fare + extra + tip + tolls + congestion + airport + sign * 150 as total
    from timed
),

texts as (
    select
        defect,
        case
            when defect in ('bad_vendor', 'three_rules') then pick(trip, 'bad vendor', ['3', '9'])
            when is_blank then ''
            else pick(trip, 'vendor', getvariable('vendors'))
        end as vendor_id,
        if(
            defect = 'bad_pickup',
            bad_time(trip, 'bad pickup'),
            (timestamp '{{month}}-01' + to_seconds(pickup))::text
        ) as pickup_datetime,
        if(
            defect = 'bad_dropoff',
            bad_time(trip, 'bad dropoff'),
            (timestamp '{{month}}-01' + to_seconds(dropoff))::text
        ) as dropoff_datetime,
        if(is_blank, '', pick(trip, 'passengers', getvariable('passengers'))) as passenger_count,
        if(
            defect in ('bad_distance', 'three_rules'),
            pick(trip, 'bad distance', ['-1', '500.01', '', 'far']),
            dollars(distance)
        ) as trip_distance,
        case
            when defect = 'bad_rate_code' then pick(trip, 'bad rate code', ['7', '0'])
            when is_blank then ''
            else pick(trip, 'rate code', getvariable('rate_codes'))
        end as rate_code_id,
        if(defect = 'open_quote', '"', '') || case
            when is_blank then ''
            when roll(trip, 'stored', 200) = 0 then 'Y'
            else 'N'
        end as store_and_fwd_flag,
        pickup_location_id::text as pickup_location_id,
        pick(trip, 'to', getvariable('zones'))::text as dropoff_location_id,
        if(
            defect = 'bad_payment_type', pick(trip, 'bad payment', ['9', '77']), payment_type
        ) as payment_type,
        if(
            defect in ('bad_fare', 'three_rules'), bad_amount(trip, 'bad fare'), dollars(fare)
        ) as fare_amount,
        dollars(extra) as extra,
        if(is_refund, '-0.5', '0.5') as mta_tax,
        dollars(tip) as tip_amount,
        dollars(tolls) as tolls_amount,
        if(is_refund, '-1.0', '1.0') as improvement_surcharge,
        if(defect = 'bad_total', bad_amount(trip, 'bad total'), dollars(total)) as total_amount,
        dollars(congestion) as congestion_surcharge,
        dollars(airport) as airport_fee
    from priced
)
"""

# One text column that holds the whole line: a broken line cannot be written by way of columns.
_LINES = """
select concat_ws(',', {first_half}) || if(defect = 'cut_off', '', concat_ws(',', '', {second_half}))
    as "{header}"
from texts
"""

# Parquet has columns, and no broken lines.
_TYPED = "select {typed} from texts"


def write_taxi(
    folder: Path,
    *,
    months: Sequence[str] = ("2024-01",),
    rows: int = 20_000,
    suffix: str = ".csv",
    header: str = "official",
    airport_fee: bool = True,
    seed: int = 1,
    defects: Mapping[str, int] = TYPICAL_DEFECTS,
) -> Delivery:
    """Write trips, one a line and one file a month; the same arguments write the same bytes.

    Args:
        folder: where to write `yellow_tripdata_<month><suffix>`, each replaced as a whole.
        months: `YYYY-MM`. A month's file does not depend on what other months there are.
        rows: data lines of each month, defective ones included.
        suffix: one of SUFFIXES. In Parquet what is no value of the column's type is null.
        header: `official` or `renamed`, the two spellings in circulation.
        airport_fee: whether there is a column of that name, a part of the total.
        seed: another seed gives other trips.
        defects: kind of defect (a key of EXPECTED) → number of lines in each month. A line has one defect at
            most. Parquet has no lines to break: the default leaves those kinds out of it.

    Raises:
        ValueError: no month, one that is none or there twice; an unknown suffix, header or defect; broken
            lines in Parquet; more rows than MOST_ROWS, or too few for the defects.
    """
    if isinstance(months, str):
        raise ValueError("months are several, not one text")
    for month in months:
        if not re.fullmatch(r"[12][0-9]{3}-(0[1-9]|1[0-2])", month):
            raise ValueError(f"no such month: {month!r} is not YYYY-MM")
    if len(set(months)) < len(months):
        raise ValueError(f"a month is there twice: {', '.join(months)}")
    lines.raise_if_unknown("suffix", [suffix], SUFFIXES)
    lines.raise_if_unknown("header", [header], values.HEADERS)
    lines.raise_if_unknown("defects", defects, EXPECTED)
    if not months or rows < 1:
        raise ValueError("at least one month and row is needed")
    if rows > MOST_ROWS:
        raise ValueError(f"{rows} rows are too many for a month: at most {MOST_ROWS}")
    if suffix == ".parquet":
        broken = {kind for kind, n in defects.items() if n and EXPECTED[kind] == REJECTED}
        if broken and defects is not TYPICAL_DEFECTS:
            raise ValueError(f"no such defects in Parquet: {', '.join(sorted(broken))}")
        defects = {kind: n for kind, n in defects.items() if kind not in broken}

    paths = tuple(folder / f"yellow_tripdata_{month}{suffix}" for month in months)
    # One for each pair of seed and month.
    seeds = [seed * 1_000_000 + int(month.replace("-", "")) for month in months]
    chosen = [lines.slots(defects, rows, month_seed) for month_seed in seeds]
    for month, path, month_seed, slots in zip(months, paths, seeds, chosen, strict=True):
        with lines.generator(month_seed, values.CHOICES, _MACROS) as connection:
            lines.use(connection, slots)
            lines.write(
                connection,
                _TEXTS + (_TYPED if suffix == ".parquet" else _LINES),
                rows,
                [path],
                lines=rows,
                month=month,
                days=calendar.monthrange(*map(int, month.split("-")))[1],
                airport_fee=airport_fee,
                **_columns(header, airport_fee),
            )
    total = {kind: n * len(months) for kind, n in defects.items()}
    return Delivery("taxi", (Part("trips", paths, rows * len(months), total, EXPECTED),))


def _columns(header: str, airport_fee: bool) -> dict[str, str]:
    """What the queries need to know of the columns."""
    count = len(values.TYPES) if airport_fee else len(values.TYPES) - 1
    names, texts = values.HEADERS[header][:count], values.HEADERS["renamed"][:count]
    return {
        "header": ",".join(names),
        "first_half": ", ".join(texts[:7]),
        "second_half": ", ".join(texts[7:]),
        "typed": ", ".join(
            f"try_cast(nullif({text}, '') as {type_}) as {name}"
            for name, text, type_ in zip(names, texts, values.TYPES, strict=False)
        ),
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this domain has."""
    parser.add_argument(
        "--months",
        type=lambda text: text.split(","),
        default=("2024-01", "2024-02", "2024-03"),
        metavar="YYYY-MM,…",
        help="months to write, one file each (default: 2024-01,2024-02,2024-03)",
    )
    parser.add_argument("--rows", type=int, default=20_000, help="data lines of each month")
    parser.add_argument(
        "--suffix", choices=[suffix[1:] for suffix in SUFFIXES], default="csv", help="format of the files"
    )
    parser.add_argument(
        "--header", choices=values.HEADERS, default="official", help="spelling of the columns"
    )
    parser.add_argument(
        "--no-airport-fee", dest="airport_fee", action="store_false", help="leave that column out"
    )
    lines.add_defects_option(parser, TYPICAL_DEFECTS)


def deliver(folder: Path, options: argparse.Namespace) -> Delivery:
    """Write the files that the options of `add_options` ask for."""
    asked = lines.options_for(options, write_taxi)
    return write_taxi(folder, **asked | {"suffix": f".{options.suffix}"})
