"""The CSV reader on random bytes: known good lines come back, and every other line is in a row or is rejected."""

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestion.formats.csv_parser import read_rows
from ingestion.formats.csv_records import scan
from ingestion.formats.parsed_file import RowShape, UnreadableFileError
from settings.file_limits import FileLimits
from tests.ingestion import csv_reference

COLUMNS = 3
LIMITS = FileLimits()
# 200,000 by hand: SLUICE_TEST_EXAMPLES=200000
EXAMPLES = int(os.environ.get("SLUICE_TEST_EXAMPLES", "5000"))
PROFILE: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": [*HealthCheck]}
# Parts of which lines are made: structure far more often than by chance, and text in two encodings.
PART = st.sampled_from(
    [
        b",",
        b",",
        b",",
        b'"',
        b'"',
        b'""',
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b" ",
        b"1",
        b"ab",
        b"\xe9",
        "é".encode(),
        b"'",
        b"\\",
        b";",
        b"\t",
        b"\xef\xbb\xbf",
    ]
)
GARBAGE = st.lists(PART, max_size=14).map(b"".join)
GOOD = st.integers(0, 99).map(lambda number: b'good,"%d, x",%d' % (number, number))
LINES = st.one_of(GARBAGE, GOOD)
CONTENT = st.lists(LINES, max_size=12).map(b"\n".join)
LONG_CONTENT = st.lists(LINES, min_size=20, max_size=120).map(b"\n".join)


def physical_lines(content: bytes) -> list[str]:
    """Lines as the reader decodes them: UTF-8 for each line, or else Windows-1252."""
    lines = content.split(b"\n")
    ended = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    return [_decoded(line) for line in ended]


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252")


def expected_in(content: bytes) -> csv_reference.Found:
    return csv_reference.read(physical_lines(content), COLUMNS, first_line=2)


def write(content: bytes, folder: Path) -> Path:
    path = folder / "file.csv"
    path.write_bytes(b"a,b,c\n" + content)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=EXAMPLES, **PROFILE)
@given(content=CONTENT)
@example(content=b'P7,"Set of:\nred,green,blue\nmugs",3\n')
@example(content=b'1,"x\ny"\n2,3,4\n')
def test_records_and_rejected_lines_are_those_of_a_plain_implementation(content: bytes, folder: Path) -> None:
    found = scan(write(content, folder), COLUMNS, LIMITS, copy_to=folder / "copy.csv")
    expected = expected_in(content)
    assert [(line.line_number, line.line) for line in found.rejected] == expected.rejected
    assert found.records == len(expected.records)
    # What is parsed holds nothing but the records, each plain.
    parsed = csv_reference.read(physical_lines(found.path.read_bytes())[found.skip :], COLUMNS, first_line=1)
    assert parsed == csv_reference.Found(expected.records, [])


@settings(max_examples=EXAMPLES // 50, **PROFILE)
@given(content=LONG_CONTENT)
def test_duckdb_finds_the_same_values(content: bytes, folder: Path) -> None:
    expected = expected_in(content)
    parquet = folder / "rows.parquet"
    shape = RowShape(["a", "b", "c"], {}, "id")
    if expected.rejected and not expected.records:
        with pytest.raises(UnreadableFileError, match="none of its lines can be split"):
            read_rows(write(content, folder), shape, LIMITS, parquet=parquet)
        return
    parsed = read_rows(write(content, folder), shape, LIMITS, parquet=parquet)
    rows = duckdb.sql(f"select a, b, c from '{parquet}' order by _source_row").fetchall()
    assert [list(row) for row in rows] == expected.records
    assert parsed.rows == len(expected.records)
