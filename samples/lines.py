"""What the generators share: lines that are a pure function of a seed, and where the defective ones stand."""

import argparse
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import duckdb

NO_DEFECTS: Mapping[str, int] = {}

# Each choice is a pure function of (seed, thing, what is chosen), so lines come out the same in any order,
# on any number of threads, and a corrected line repeats the one that it corrects.
#
# Defects come without a join, which would not keep the lines in order: the lines are cut into as many slots
# of equal width as there are lines to choose, and each slot has one such line.
_MACROS = """
create temp macro roll(thing, what, sides) as (hash(thing, what, getvariable('seed')) % sides::ubigint)::int;
create temp macro pick(thing, what, choices) as choices[1 + roll(thing, what, len(choices))];
create temp macro position_in(slot) as slot * getvariable('width') + roll(slot, 'slot', getvariable('width'));
create temp macro defects_before(line) as
    coalesce(getvariable('defects_before')[1 + line // getvariable('width')], getvariable('defects'))
    + if(
        getvariable('kinds')[1 + line // getvariable('width')] is not null
        and line > position_in(line // getvariable('width')),
        1,
        0
    );
create temp macro lines(first, last) as table
    select
        position,
        position // getvariable('width') as slot,
        position = position_in(slot) as is_chosen,
        if(is_chosen, getvariable('kinds')[1 + slot], null) as defect,
        -- A duplicate repeats an earlier line; any other line is its own.
        coalesce(position_in(if(is_chosen, getvariable('originals')[1 + slot], null)), position) as line
    from range(first, last) as numbers(position);
"""


@dataclass(frozen=True)
class Slots:
    """Which slot of a file's lines has which defect; most lines belong to a slot without being chosen."""

    width: int
    #: Each slot's defect; None where the chosen line is one that a duplicate repeats.
    kinds: list[str | None]
    #: The slot of the line that each slot's duplicate repeats.
    originals: list[int | None]


def slots(defects: Mapping[str, int], rows: int, seed: int, *, duplicate: str = "duplicate") -> Slots:
    """Shuffle the defects over the lines.

    Args:
        defects: kind → number of lines.
        rows: lines in all, defective ones included.
        seed: another seed gives other places.
        duplicate: the kind that repeats an earlier line, one of its own for each.

    Raises:
        ValueError: a negative number, or too few rows for the defects.
    """
    if min(defects.values(), default=0) < 0:
        raise ValueError("the number of defects cannot be negative")
    wanted = [kind for kind, count in defects.items() for _ in range(count)]
    count = len(wanted) + wanted.count(duplicate)
    if rows < count:
        raise ValueError(f"{rows} rows are too few: defective lines and lines to correct are {count}")
    free = random.Random(seed).sample(range(count), count)
    kinds: list[str | None] = [None] * count
    originals: list[int | None] = [None] * count
    for kind in wanted:
        slot = free.pop()
        if kind == duplicate:
            original, slot = sorted((slot, free.pop()))
            originals[slot] = original
        kinds[slot] = kind
    return Slots(rows // max(count, 1), kinds, originals)


@contextmanager
def generator(seed: int, choices: Mapping[str, Any], macros: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the macros `roll`, `pick`, `lines(first, last)` and `defects_before(line)`.

    The last two need the variables of `use`; `choices` and `seed` are variables as well.
    """
    with duckdb.connect() as connection:
        set_variables(connection, seed=seed, **choices)
        connection.execute(_MACROS + macros)
        yield connection


def set_variables(connection: duckdb.DuckDBPyConnection, **values: Any) -> None:
    """Set what `getvariable` reads."""
    for name, value in values.items():
        connection.execute(f"set variable {name} = ?", [value])


def use(connection: duckdb.DuckDBPyConnection, chosen: Slots) -> None:
    """Let `lines` choose these lines from now on."""
    set_variables(connection, width=chosen.width)
    connection.execute("set variable kinds = ?::text[]", [chosen.kinds])
    connection.execute("set variable originals = ?::bigint[]", [chosen.originals])
    before = list(accumulate((kind is not None for kind in chosen.kinds), initial=0))
    connection.execute("set variable defects = ?::bigint", [before.pop()])
    connection.execute("set variable defects_before = ?::bigint[]", [before])


def options_for(options: argparse.Namespace, writer: Callable[..., Any]) -> dict[str, Any]:
    """The options that a writer takes, by the names of its parameters."""
    return {name: value for name, value in vars(options).items() if name in signature(writer).parameters}


def write(
    connection: duckdb.DuckDBPyConnection, query: str, rows: int, paths: Sequence[Path], **values: Any
) -> None:
    """Write lines evenly over files, as they are, each file appearing only when it is whole.

    Args:
        connection: of `generator`; `use` has said which lines are defective.
        query: SQL for the lines from `{first}` to before `{last}`, with the header as the column's name; for
            Parquet, with the columns that it is to have.
        rows: lines in all.
        paths: Parquet if the name ends in `.parquet`, compressed if it ends in `.gz`.
        values: for further placeholders of the query.
    """
    for k, path in enumerate(paths):
        first, last = rows * k // len(paths), rows * (k + 1) // len(paths)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        relation = connection.sql(query.format(first=first, last=last, **values))
        if path.suffix == ".parquet":
            relation.write_parquet(str(part))
        else:
            compression: Literal["gzip", "none"] = "gzip" if path.suffix == ".gz" else "none"
            relation.write_csv(str(part), header=True, quotechar="", compression=compression)
        part.replace(path)


def weighted(weights: Mapping[Any, int]) -> list:
    """Each value as often as its weight says, for `pick`."""
    return [value for value, weight in weights.items() for _ in range(weight)]


def raise_if_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise a ValueError that names what is given but not known."""
    if unknown := set(given) - set(known):
        raise ValueError(f"no such {what}: {', '.join(sorted(unknown))}")


def add_defects_option(parser: argparse.ArgumentParser, typical: Mapping[str, int]) -> None:
    """Add `--defects`, whose default is `typical`, a number for each kind there is."""
    parser.add_argument(
        "--defects",
        type=_defects,
        default=typical,
        metavar="KIND=N,…",
        help=f"defective lines: none, or some of {', '.join(typical)} (default: 5 of each)",
    )


def _defects(text: str) -> Mapping[str, int]:
    if text == "none":
        return NO_DEFECTS
    return {kind: int(count) for kind, count in (pair.split("=") for pair in text.split(","))}
