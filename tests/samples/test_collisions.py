import csv
import gzip
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from samples.collisions import EXPECTED, write_collisions
from samples.lines import NO_DEFECTS

ALL_DEFECTS = {kind: 3 + n for n, kind in enumerate(EXPECTED)}
HEADERS = {"official": "crashes_official_header_2022.csv", "renamed": "crashes_renamed_header.csv"}


def split(line: str) -> list[str] | None:
    """Columns of a line; None where it has no 29 of them."""
    try:
        (columns,) = csv.reader([line], strict=True)
    except csv.Error:
        return None
    return columns if len(columns) == 29 else None


def is_usable(columns: list[str]) -> bool:
    try:
        datetime.strptime(columns[0] + columns[1], "%m/%d/%Y%H:%M")
        return all(int(count) >= 0 for count in columns[10:18]) and int(columns[23]) > 0
    except ValueError:
        return False


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("defects", [ALL_DEFECTS, NO_DEFECTS, {"duplicate": 400}])
def test_fates_are_those_that_an_independent_reader_finds(tmp_path: Path, header: str, defects: dict) -> None:
    files = [tmp_path / f"{n}.csv" for n in range(3)]
    info = write_collisions(*files, rows=1000, seed=7, header=header, defects=defects)

    lines = [line for file in files for line in file.read_text().splitlines()[1:]]
    whole = [columns for columns in map(split, lines) if columns]
    usable = [columns for columns in whole if is_usable(columns)]
    ids = {columns[23] for columns in usable}
    assert len(lines) == info.lines == 1000
    assert (
        len(lines) - len(whole) == info.rejected == defects.get("cut_off", 0) + defects.get("open_quote", 0)
    )
    assert len(whole) - len(usable) == info.quarantined
    assert len(usable) - len(ids) == info.superseded == defects.get("duplicate", 0)
    assert len(ids) == info.clean


def test_each_kind_of_defect_is_there_as_often_as_asked_for(tmp_path: Path) -> None:
    write_collisions(tmp_path / "a.csv", rows=200, defects=ALL_DEFECTS)
    lines = (tmp_path / "a.csv").read_text().splitlines()[1:]
    whole = [columns for columns in map(split, lines) if columns]
    found = Counter(columns[10] for columns in whole)
    assert found["-1"] == ALL_DEFECTS["negative_count"]
    assert (
        sum(n for text, n in found.items() if not text.removeprefix("-").isdigit())
        == ALL_DEFECTS["text_count"]
    )
    assert sum(columns[23] == "" for columns in whole) == ALL_DEFECTS["missing_id"]
    assert sum(line.count('"') % 2 for line in lines) == ALL_DEFECTS["open_quote"]


def test_a_duplicate_is_identical_to_an_earlier_line(tmp_path: Path) -> None:
    write_collisions(tmp_path / "a.csv", rows=500, defects={"duplicate": 100})
    lines = (tmp_path / "a.csv").read_text().splitlines()[1:]
    ids = {columns[23] for columns in csv.reader(lines)}
    assert len(set(lines)) == len(ids) == 400


@pytest.mark.parametrize("header", HEADERS)
def test_header_is_that_of_the_real_files(tmp_path: Path, shared_data: Path, header: str) -> None:
    write_collisions(tmp_path / "a.csv", rows=10, header=header, defects=NO_DEFECTS)
    with (shared_data / "collisions" / HEADERS[header]).open() as real, (tmp_path / "a.csv").open() as made:
        assert made.readline() == real.readline()


def test_same_seed_same_bytes_in_order_of_ids(tmp_path: Path) -> None:
    # More rows than DuckDB gives to one thread at a time (122,880).
    for name in ("a", "b"):
        write_collisions(tmp_path / name, rows=130_000, seed=1, defects=NO_DEFECTS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with (tmp_path / "a").open() as file:
        ids = [columns[23] for columns in csv.reader(file)][1:]
    assert ids == [str(4_000_000 + n) for n in range(130_000)]


def test_another_seed_gives_other_crashes(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_collisions(tmp_path / str(seed), rows=100, seed=seed)
    one, two = ((tmp_path / name).read_text().splitlines()[1:] for name in "12")
    assert len(set(one) & set(two)) < 10


def test_lines_do_not_depend_on_compression_or_number_of_files(tmp_path: Path) -> None:
    parts = [tmp_path / "1.csv.gz", tmp_path / "2.csv.gz"]
    write_collisions(tmp_path / "whole.csv", rows=999)
    write_collisions(*parts, rows=999)
    header, *lines = (tmp_path / "whole.csv").read_text().splitlines()
    unpacked = [gzip.decompress(part.read_bytes()).decode().splitlines() for part in parts]
    assert [part[0] for part in unpacked] == [header, header]
    assert unpacked[0][1:] + unpacked[1][1:] == lines


def test_nothing_but_the_files_is_left(tmp_path: Path) -> None:
    write_collisions(tmp_path / "it's.csv", rows=100)
    assert [path.name for path in tmp_path.iterdir()] == ["it's.csv"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": "other"},
        {"defects": {"flood": 1}},
        {"rows": 3, "defects": {"duplicate": 2}},
        {"defects": {"cut_off": -1}},
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(ValueError, match="no such|too few|negative"):
        write_collisions(tmp_path / "a.csv", **wrong)
    assert not any(tmp_path.iterdir())
