"""The forms in which files are delivered: each brings the same rows, and what is wrong with it is named."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from ingestion.file_format import FileFormat
from ingestion.formats import ParsedFile, RowShape, UnreadableFileError, open_delivered
from settings.file_limits import FileLimits

LIMITS = FileLimits(line_bytes=1_000)
PLAIN = FileFormat()
Rows = list[tuple]
HEADER = ["id", "note", "price"]
ROWS = [("1", 'red, or "green"', "2.50"), ("2", None, "3"), ("3", "two\nlines; one\ttab", "Zürich £")]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[list[str], Rows, ParsedFile]]:
    """Returns the header, the rows and the whole result of a file."""

    def read_file(path: Path, form: FileFormat = PLAIN) -> tuple[list[str], Rows, ParsedFile]:
        work = tmp_path / f"work of {path.name}"
        work.mkdir()
        delivered = open_delivered(path, form, LIMITS, work)
        header = delivered.read_header()
        names = [f"column_{position}" for position in range(len(header))]
        parsed = delivered.parse(RowShape(names, {}, "id"), parquet=work / "rows.parquet")
        table = pq.read_table(parsed.parquet)
        return header, [*zip(*(table[name].to_pylist() for name in names), strict=True)], parsed

    return read_file


def write_text(path: Path, *, delimiter: str, encoding: str = "utf-8", header: bool = True) -> Path:
    """Write the rows as a text file."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerows([HEADER, *ROWS] if header else ROWS)
    return path


@pytest.mark.parametrize(
    ("name", "delimiter", "encoding", "form"),
    [
        ("a.tsv", "\t", "utf-8", FileFormat()),
        ("a.csv", ";", "utf-8", FileFormat(delimiter=";")),
        ("a.csv", ";", "cp1252", FileFormat(delimiter=";")),
        ("a.csv", "¦", "utf-8", FileFormat(delimiter="¦")),
        ("a.csv", "|", "cp1252", FileFormat(delimiter="|", encoding="cp1252")),
        ("a.csv", ",", "utf-16", FileFormat()),
        ("a.TSV", "\t", "utf-16", FileFormat()),
        ("a.csv", ",", "utf-8-sig", FileFormat(encoding="utf-8-sig")),
        ("a.csv", ",", "iso-8859-15", FileFormat(encoding="iso-8859-15")),
    ],
)
def test_text_files(
    tmp_path: Path, read: Callable, name: str, delimiter: str, encoding: str, form: FileFormat
) -> None:
    header, rows, parsed = read(write_text(tmp_path / name, delimiter=delimiter, encoding=encoding), form)
    assert (header, rows, parsed.rejected) == (HEADER, ROWS, [])


def test_lines_without_a_header_keep_their_numbers(tmp_path: Path, read: Callable) -> None:
    path = write_text(tmp_path / "a.tsv.gz", delimiter="\t", header=False)
    text = path.read_text() + '4\t"a, b" and c\n5\t\\N\t1,5\n'
    path.write_bytes(gzip.compress(text.encode()))
    header, rows, parsed = read(path, FileFormat(header=tuple(HEADER)))
    assert header == HEADER
    assert rows == [*ROWS, ("5", "\\N", "1,5")]
    assert [(line.line_number, line.line) for line in parsed.rejected] == [(5, '4\t"a, b" and c')]


def test_json_lines(tmp_path: Path, read: Callable) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '\ufeff{"id": 1, "price": 25.10, "tags": ["a", "b"], "who": {"name": "Zoë"}}\n'
        "\n"
        '{"id": "2", "is new": true, "price": null}\n'
        "[1, 2]\n"
        '{"id": 3, "price": NaN\n'
        f'{{"id": "{"x" * 2_000}"}}\n'
        '{"id": 4, "price": "1\\u0000"}'
    )
    header, rows, parsed = read(path)
    assert header == ["id", "price", "tags", "who", "is_new"]
    assert rows == [
        ("1", "25.10", '["a", "b"]', '{"name": "Zoë"}', None),
        ("2", None, None, None, "true"),
        ("4", "1\ufffd", None, None, None),
    ]
    assert [(line.line_number, line.line[:9]) for line in parsed.rejected] == [
        (4, "[1, 2]"),
        (5, '{"id": 3,'),
        (6, '{"id": "x'),
    ]
    assert "SLUICE_MAX_LINE_BYTES" in parsed.rejected[2].reason


def workbook(path: Path, **sheets: list[list]) -> Path:
    """Write a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_sheets(tmp_path: Path, read: Callable) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        Orders=[
            [],
            ["id", "ordered on", "at", "paid", "price", None],
            [1001, date(2024, 5, 1), datetime(2024, 5, 1, 13, 30), True, 2.5],
            [1002.0, None, None, False, 1e20],
            [None, " ", None],
            [1003, "soon", None, None, 0.1, None, "beyond"],
        ],
        Customers=[["name"], ["Ann"]],
    )
    header, rows, parsed = read(path, FileFormat(sheet="Orders"))
    assert header == ["id", "ordered on", "at", "paid", "price"]
    assert rows == [
        ("1001", "2024-05-01", "2024-05-01 13:30:00", "true", "2.5"),
        ("1002", None, None, "false", "1e+20"),
    ]
    assert [(line.line_number, line.reason) for line in parsed.rejected] == [(6, "7 values for 5 columns")]
    with pytest.raises(UnreadableFileError, match="several sheets, but 'Orders', 'Customers'"):
        read(path.rename(tmp_path / "b.xlsx"))


def test_members_of_a_zip(tmp_path: Path, read: Callable) -> None:
    one = tmp_path / "one.zip"
    with zipfile.ZipFile(one, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(write_text(tmp_path / "inner.tsv", delimiter="\t"), "folder/inner.tsv")
        archive.writestr("__MACOSX/._inner.tsv", "x")
        archive.writestr("read me.pdf", "x")
    assert read(one)[:2] == (HEADER, ROWS)
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.write(tmp_path / "inner.tsv", "orders.tsv")
        archive.writestr("users.jsonl", json.dumps({"name": "Ann"}))
    assert read(two, FileFormat(sheet="users*"))[1] == [("Ann",)]
    with pytest.raises(UnreadableFileError, match=r"one member, but holds orders.tsv, users.jsonl"):
        read(two.rename(tmp_path / "three.zip"))


def zip_of(content: bytes) -> bytes:
    """Return a zip of a CSV file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return packed.getvalue()


GOOD = zip_of(b"id\n" + b"".join(b"%d\n" % (number * number) for number in range(500)))
# In the middle of the packed bytes.
DAMAGED = GOOD[:300] + bytes(100) + GOOD[400:]
# The number of deflate where the file and the directory say the compression, as 99, which is nobody's.
DIRECTORY = GOOD.index(b"PK\x01\x02") + 10
UNSUPPORTED = GOOD[:8] + b"\x63" + GOOD[9:DIRECTORY] + b"\x63" + GOOD[DIRECTORY + 1 :]


@pytest.mark.parametrize(
    ("name", "content", "form", "reason"),
    [
        ("a.xlsx", b"PK\x03\x04", FileFormat(), "not an Excel workbook"),
        ("a.zip", b"PK\x03\x04", FileFormat(), "not a zip archive"),
        ("a.zip", DAMAGED, FileFormat(), "the zip is damaged"),
        ("a.zip", UNSUPPORTED, FileFormat(), "its compression is not supported"),
        ("a.jsonl", b"[1]\n", FileFormat(), "none of its lines is a JSON object"),
        ("a.csv", b"id,caf\xe9\n", FileFormat(encoding="utf-16"), "it is not utf-16"),
        ("a.csv", b"id;caf\x81\n", FileFormat(";", "cp1252"), "it is not cp1252"),
    ],
)
def test_what_cannot_be_read_says_so(
    tmp_path: Path, read: Callable, name: str, content: bytes, form: FileFormat, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=reason):
        read(path, form)


def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, read: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "LIMITS", FileLimits(gzip_ratio=1))
    monkeypatch.setattr("ingestion.formats.csv_lines.ALWAYS_BYTES", 1_000)
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "id\n" + "1\n" * 200_000)
    lines = tmp_path / "a.jsonl.gz"
    lines.write_bytes(gzip.compress(b'{"id": 1}\n' * 100_000))
    book = workbook(tmp_path / "a.xlsx", Sheet=[["id"], *[[1]] * 20_000])
    for path in (packed, lines, book):
        with pytest.raises(UnreadableFileError, match="it holds more than"):
            read(path)
