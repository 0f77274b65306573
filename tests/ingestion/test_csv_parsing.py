"""Records of CSV files: what DuckDB is given, what comes back, and which lines do not."""

import gzip
from pathlib import Path

import duckdb
import pytest

from ingestion.formats.csv_parser import read_rows
from ingestion.formats.csv_records import read_header
from ingestion.formats.parsed_file import RowShape, UnreadableFileError
from settings.file_limits import FileLimits

LIMITS = FileLimits()
LATIN = "café".encode("latin-1")
Rejects = list[tuple[int, str]]


def read(path: Path, limits: FileLimits = LIMITS) -> tuple[list[tuple[str | None, ...]], Rejects]:
    """The file's rows and its rejected lines as (line number, line)."""
    columns = read_header(path, limits)
    names = [f"c{position}" for position in range(len(columns))]
    parquet = path.with_name("rows.parquet")
    parsed = read_rows(path, RowShape(names, {}, "id"), limits, parquet=parquet)
    rows = duckdb.sql(f"select {', '.join(names)} from '{parquet}' order by _source_row").fetchall()
    assert len(rows) == parsed.rows
    return rows, [(line.line_number, line.line) for line in parsed.rejected]


CASES: dict[str, tuple[bytes, list[tuple[str | None, ...]], Rejects]] = {
    "plain": (b"a,b,c\n1,2,3\n4,,6\n", [("1", "2", "3"), ("4", None, "6")], []),
    "no line end at the end": (b"a,b,c\n1,2,3", [("1", "2", "3")], []),
    "byte order mark": (b"\xef\xbb\xbfa,b,c\n1,2,3\n", [("1", "2", "3")], []),
    "CRLF": (b"a,b,c\r\n1,2,3\r\n4,5\r\n", [("1", "2", "3")], [(3, "4,5")]),
    "mixed line ends": (
        b"a,b,c\r\n1,2,3\n4,5,6\r\n7,8\n",
        [("1", "2", "3"), ("4", "5", "6")],
        [(4, "7,8")],
    ),
    "a lone CR within a field": (
        b'a,b,c\n1,2\rx,3\n4,"5\ry",6\n',
        [("1", "2 x", "3"), ("4", "5\ry", "6")],
        [],
    ),
    "quoted comma": (b'a,b,c\n1,"x, y",3\n', [("1", "x, y", "3")], []),
    "quoted empty text is no null": (b'a,b,c\n1,"",3\n', [("1", "", "3")], []),
    "escaped quotes": (b'a,b,c\n1,"say ""x""",3\n4,"""",6\n', [("1", 'say "x"', "3"), ("4", '"', "6")], []),
    "quoted line end and comma": (
        b'a,b,c\n1,"x\n\nSmith, y",3\n4,5\n6,7,8\n',
        [("1", "x\n\nSmith, y", "3"), ("6", "7", "8")],
        [(5, "4,5")],
    ),
    "quote within a value": (b'a,b,c\n1,5" pipe,3\n4,5,6\n', [("1", '5" pipe', "3"), ("4", "5", "6")], []),
    "text after a closing quote": (
        b'a,b,c\n1,2,3\n4,"5"x,6\n7,8,9\n',
        [("1", "2", "3"), ("7", "8", "9")],
        [(3, '4,"5"x,6')],
    ),
    "unclosed quote in the middle": (
        b'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n10,11,12\n',
        [("1", "2", "3"), ("7", "8", "9"), ("10", "11", "12")],
        [(3, '4,"5,6')],
    ),
    "unclosed quote before quoted fields": (
        b'a,b,c\n1,"x, y",3\n4,"5,6\n7,"x, y",9\n8,"x, y",9\n',
        [("1", "x, y", "3"), ("7", "x, y", "9"), ("8", "x, y", "9")],
        [(3, '4,"5,6')],
    ),
    "two unclosed quotes": (
        b'a,b,c\n4,"5,6\n1,2,3\n7,8,"9\n4,5,6\n',
        [("1", "2", "3"), ("4", "5", "6")],
        [(2, '4,"5,6'), (4, '7,8,"9')],
    ),
    "unclosed quote on the last line": (b'a,b,c\n1,2,3\n4,5,"6', [("1", "2", "3")], [(3, '4,5,"6')]),
    "too few and too many columns": (
        b"a,b,c\n1\n1,2,3\n1,2,3,4\n",
        [("1", "2", "3")],
        [(2, "1"), (4, "1,2,3,4")],
    ),
    "blank lines are not records": (
        b"a,b,c\n\n1,2,3\n\n\n4,5\n",
        [("1", "2", "3")],
        [(6, "4,5")],
    ),
    "Latin-1": (b"a,b,c\n1," + LATIN + b",3\n4,5\n", [("1", "café", "3")], [(3, "4,5")]),
    "a value too many that is empty": (
        b"a,b,c\n1,2,3\n4,5,6,\n7,8,\n",
        [("1", "2", "3"), ("7", "8", None)],
        [(3, "4,5,6,")],
    ),
    "text after a quoted value that holds a comma": (
        b'a,b,c\n1,2,3\n4,"Deluxe" Lamp,"Home,4\n7,8,9\n',
        [("1", "2", "3"), ("7", "8", "9")],
        [(3, '4,"Deluxe" Lamp,"Home,4')],
    ),
    "values within doubled quotes": (
        b'a,b,c\n1,2,3\n""P1"",""Lamp"",""Home""\n7,8,9\n',
        [("1", "2", "3"), ("7", "8", "9")],
        [(3, '""P1"",""Lamp"",""Home""')],
    ),
    "lines within quotes that have as many commas as the header": (
        b'a,b,c\n1,"Set of:\nred,green,blue\nmugs",3\n7,8,9\n',
        [("1", "Set of:\nred,green,blue\nmugs", "3"), ("7", "8", "9")],
        [],
    ),
    "several lines of too few values": (
        b'a,b,c\n1,"x\ny"\n7,8,9\n',
        [("7", "8", "9")],
        [(2, '1,"x\ny"')],
    ),
    "a bare CR outside quotes": (
        b'a,b,c\n1,"x",\r3\n4,5,6\n',
        [("1", "x", " 3"), ("4", "5", "6")],
        [],
    ),
    "a first line that names the separator": (b"sep=,\na,b,c\n1,2\n4,5,6\n", [("4", "5", "6")], [(3, "1,2")]),
    "Latin-1 lines in a UTF-8 file": (
        "a,b,c\n1,crème,3\n".encode() + b"4," + LATIN + b",6\n",
        [("1", "crème", "3"), ("4", "café", "6")],
        [],
    ),
}


@pytest.mark.parametrize("suffix", [".csv", ".CSV.GZ"])
@pytest.mark.parametrize("case", CASES)
def test_one_bad_line_costs_one_line(case: str, suffix: str, tmp_path: Path) -> None:
    content, rows, rejects = CASES[case]
    path = tmp_path / f"file{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".CSV.GZ" else content)
    assert read(path) == (rows, rejects)


# Without the time of day, which would be part of the names of tests.
WHOLE = gzip.compress(b"a,b,c\n" + b"1,2,3\n" * 5_000, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("f.csv", b"", "empty"),
        ("f.csv.gz", b"", "empty"),
        ("f.csv.gz", gzip.compress(b"", mtime=0), "empty"),
        ("f.csv.gz", WHOLE[:-20], "truncated"),
        ("f.csv.gz", WHOLE[: len(WHOLE) // 2], "truncated"),
        ("f.csv.gz", WHOLE[:5], "truncated"),
        ("f.csv.gz", WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:], "damaged"),
        ("f.csv.gz", b"a,b,c\n1,2,3\n", "damaged"),
        ("f.csv", "a,b,c\n1,2,3\n".encode("utf-16"), "UTF-16"),
        ("f.csv", b"a,b,c\r1,2,3\r", "bare CR"),
        ("f.csv", b"sep=;\na;b;c\n1;2;3\n", "'sep=;', says that commas do not separate its values"),
        ("f.csv", b'"a,b,c\n1,2,3\n', "header"),
    ],
)
def test_a_file_that_is_no_whole_csv_says_so(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=reason):
        read(path)


def test_line_numbers_hold_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.formats.csv_lines.BLOCK_BYTES", 64)
    lines = ["a,b,c"]
    rejected = []
    for number in range(2, 400):
        bad = {0: "1,2", 1: '1,"2,3', 2: "1,2,3,4"}.get(number % 50)
        lines.append(bad or (f'{number},"x, y",3' if number % 3 else f"{number},x,3"))
        if bad:
            rejected.append((number, bad))
    path = tmp_path / "f.csv"
    path.write_text("\n".join(lines))
    rows, found = read(path)
    assert found == rejected
    assert len(rows) == 398 - len(rejected)


def test_columns_left_out_still_count_for_the_width_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a,_b,c\n1, x ,3\n4\n5,,6\n7,8,9,10\n11,12\n")
    parquet = tmp_path / "f.parquet"
    parsed = read_rows(path, RowShape(["a", "_b", None], {}, "id"), LIMITS, parquet=parquet)
    assert [line.line for line in parsed.rejected] == ["4", "7,8,9,10", "11,12"]
    assert duckdb.sql(f"from '{parquet}'").fetchall() == [("1", "x", 1, "id-1"), ("5", None, 2, "id-2")]
