"""Collision files in the format of NYC Open Data, "Motor Vehicle Collisions - Crashes".

Shares (boroughs, hours, vehicles a crash, injured, missing places) follow two real extracts of 2016 and
2022 with 3,263 crashes; the crashes themselves are made up.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from samples import collisions_values as values
from samples import lines
from samples.delivery import REJECTED, SUPERSEDED, Delivery, ExpectedStatus, Part, quarantined_by

#: Kind of defect → what must become of the line that has it. A duplicate is identical in all columns to
#: an earlier line, which is superseded.
EXPECTED: Mapping[str, ExpectedStatus] = {
    "duplicate": SUPERSEDED,
    "bad_date": quarantined_by("crash_date_is_a_date"),
    "negative_count": quarantined_by("persons_injured_is_a_count"),
    "text_count": quarantined_by("persons_injured_is_a_count"),
    "missing_id": quarantined_by("collision_id_is_a_number"),
    "cut_off": REJECTED,
    "open_quote": REJECTED,
}
TYPICAL_DEFECTS = dict.fromkeys(EXPECTED, 5)

_MACROS = """
create temp macro street(crash, which) as pick(crash, which || ' street', getvariable('streets'));
create temp macro factor(crash, k) as pick(crash, 'factor ' || k, getvariable('factors'));
create temp macro vehicle(crash, k) as pick(crash, 'vehicle ' || k, getvariable('vehicles'));
create temp macro number(crash, what, one_in) as
    case when roll(crash, what, one_in) = 0 then 1 + roll(crash, what || ' more', 4) // 3 else 0 end;
"""

# One text column that holds the whole line: a broken line cannot be written by way of columns.
_LINES = """
with crashes as (
    select
        defect,
        line as crash,
        roll(crash, 'place known', 100) as place_known,
        roll(crash, 'street', 100) < 75 as on_street,
        pick(crash, 'place', getvariable('places')) as place,
        pick(crash, 'vehicles', [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3]) as vehicles,
        number(crash, 'pedestrians', 23) as pedestrians,
        number(crash, 'cyclists', 31) as cyclists,
        number(crash, 'motorists', 7) as motorists,
        if(pedestrians > 0 and roll(crash, 'killed', 40) = 0, 1, 0) as pedestrians_killed,
        -- Riders of e-scooters count as persons and as nothing else.
        pedestrians + cyclists + motorists + if(roll(crash, 'e-scooter', 600) = 0, 1, 0) as persons
    from lines({first}, {last})
),

texts as (
    select
        *,
        round(place.latitude + (roll(crash, 'north', 20001) - 10000) / 1e6, 6) as latitude,
        round(place.longitude + (roll(crash, 'east', 20001) - 10000) / 1e6, 6) as longitude,
        case defect
            when 'bad_date' then pick(crash, 'date', ['02/30/2024', '13/01/2024', 'UNKNOWN'])
            -- In the order of the lines, evenly over 2023 and 2024.
            else strftime(date '2023-01-01' + (crash * 731 // {lines})::int, '%m/%d/%Y')
        end as crash_date,
        pick(crash, 'hour', getvariable('hours')) || ':' || if(
            roll(crash, 'on the hour', 4) = 0, '00', lpad((roll(crash, 'minute', 60))::text, 2, '0')
        ) as crash_time,
        case
            when place_known < 12 then ',,'
            when place_known < 14 then '0,0,' || {no_location}
            else latitude || ',' || longitude || ',' || {location}
        end as coordinates,
        case defect
            when 'negative_count' then '-1'
            when 'text_count' then pick(crash, 'count', ['two', '1.5', '1 or 2'])
            else persons::text
        end as persons_injured
    from crashes
),

halves as (
    select
        defect,
        concat_ws(
            ',',
            crash_date,
            crash_time,
            if(place_known < 36, ',', place.borough || ',' || place.zip_code),
            coordinates,
            if(defect = 'open_quote', '"', '') || if(on_street, rpad(street(crash, 'on'), 32, ' '), ''),
            if(on_street and place_known >= 30, street(crash, 'cross'), ''),
            if(
                on_street,
                '',
                rpad(rpad((1 + roll(crash, 'house', 2400))::text, 10, ' ') || street(crash, 'off'), 40, ' ')
            ),
            persons_injured
        ) as first_half,
        concat_ws(
            ',',
            pedestrians_killed,
            pedestrians,
            pedestrians_killed,
            cyclists,
            0,
            motorists,
            0,
            factor(crash, 1),
            if(vehicles > 1, factor(crash, 2), ''),
            if(vehicles > 2, 'Unspecified', ''),
            ',',
            if(defect = 'missing_id', '', ({first_id} + crash)::text),
            vehicle(crash, 1),
            if(vehicles > 1, vehicle(crash, 2), ''),
            if(vehicles > 2, vehicle(crash, 3), ''),
            ','
        ) as second_half
    from texts
)

select first_half || if(defect = 'cut_off', '', ',' || second_half) as "{header}"
from halves
"""


def write_collisions(
    *paths: Path,
    rows: int = 20_000,
    seed: int = 1,
    header: str = "official",
    defects: Mapping[str, int] = TYPICAL_DEFECTS,
    first_id: int = 4_000_000,
) -> Delivery:
    """Write collisions, one a line, evenly over the files; the same arguments write the same lines.

    Args:
        paths: files to write, replaced as a whole; compressed if the name ends in `.gz`. Of two lines
            with one collision_id the later is in the same or in a later file.
        rows: data lines over all files, defective ones included.
        seed: another seed gives other crashes under the same ids.
        header: `official` or `renamed`, the two spellings in circulation; LOCATION differs with them.
        defects: kind of defect (a key of EXPECTED) → number of lines. A line has one defect at most.
        first_id: ids run from here, one a line; choose another for a further delivery.

    Raises:
        ValueError: no path, an unknown header or defect, or too few rows for the defects.
    """
    lines.raise_if_unknown("header", [header], values.HEADERS)
    lines.raise_if_unknown("defects", defects, EXPECTED)
    if not paths:
        raise ValueError("at least one path is needed")
    chosen = lines.slots(defects, rows, seed)
    with lines.generator(seed, values.CHOICES, _MACROS) as connection:
        lines.use(connection, chosen)
        lines.write(
            connection,
            _LINES,
            rows,
            paths,
            lines=rows,
            first_id=first_id,
            header=values.HEADERS[header],
            **values.LOCATIONS[header],
        )
    return Delivery("collisions", (Part("crashes", paths, rows, dict(defects), EXPECTED),))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this domain has."""
    parser.add_argument("--rows", type=int, default=20_000, help="data lines over all files")
    parser.add_argument("--files", type=int, default=1, help="number of files")
    parser.add_argument("--gz", action="store_true", help="compress the files")
    parser.add_argument(
        "--header", choices=values.HEADERS, default="official", help="spelling of the columns"
    )
    parser.add_argument("--first-id", type=int, default=4_000_000, help="collision_id of the first line")
    lines.add_defects_option(parser, TYPICAL_DEFECTS)


def deliver(folder: Path, options: argparse.Namespace) -> Delivery:
    """Write the files that the options of `add_options` ask for."""
    suffix = ".csv.gz" if options.gz else ".csv"
    paths = (folder / f"crashes_sample_{k:03}{suffix}" for k in range(1, options.files + 1))
    return write_collisions(*paths, **lines.options_for(options, write_collisions))
