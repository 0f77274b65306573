"""How files are written, as `sluice new` finds it out: a domain declares what their suffix does not say."""

import json
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from ingestion.file_format import FileFormat
from scaffolding.errors import ScaffoldingError
from scaffolding.file_formats import find_format, find_parts
from scaffolding.profile import profile
from settings.file_limits import FileLimits

LIMITS = FileLimits()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "id,price\n1,2.5\n2,3\n", FileFormat()),
        ("a.csv", "id;price\n1;2,5\n2;3,5\n", FileFormat(delimiter=";")),
        ("a.csv", "id|a, b\n1|x, y\n2|z\n", FileFormat(delimiter="|")),
        ("a.csv", "id\tnote\n1\tx, y\n", FileFormat(delimiter="\t")),
        ("a.tsv", "id\tnote\n1\tx;y\n", FileFormat()),
        ("a.tsv", "id;note\n1;x\n", FileFormat(delimiter=";")),
        ("a.csv", "note\nx; y\nz, w\n", FileFormat()),
        ("a.csv", '"a;b","c;d"\n"1;2","3;4"\n', FileFormat()),
        ("a.csv", "1,Kiel,2024-05-01\n2,Bonn,\\N\n", FileFormat(header=("column_1", "column_2", "column_3"))),
        (
            "a.csv",
            "Kiel,12\nBonn,13\nUlm,x\nHof,7\nJena,4\nAhlen,5\n",
            FileFormat(header=("column_1", "column_2")),
        ),
        ("a.csv", "city,2024\nBonn,13\nUlm,14\n", FileFormat(header=("column_1", "column_2"))),
        ("a.csv", "city,name\nBonn,Ann\n", FileFormat()),
    ],
)
def test_delimiter_and_header(tmp_path: Path, name: str, content: str, expected: FileFormat) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert find_format(path, "", [], LIMITS) == expected


def test_names_of_columns_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "cities.csv"
    path.write_text("Kiel,12\nBonn,13\n")
    assert find_format(path, "", ["city", "size"], LIMITS).header == ("city", "size")
    with pytest.raises(ScaffoldingError, match="it has 2 columns, but 1 names are given"):
        find_format(path, "", ["city"], LIMITS)


def test_text_in_utf16_and_windows_1252(tmp_path: Path) -> None:
    for encoding in ("utf-16", "cp1252"):
        path = tmp_path / f"cities_{encoding}.csv"
        path.write_bytes("label;fee\nKöln;£12\n".encode(encoding))
        (entity,) = profile("shop", [path], {str(path): "cities"}).entities
        assert entity.format == FileFormat(delimiter=";")
        assert (entity.rows, [column.raw for column in entity.columns]) == (1, ["label", "fee"])


def test_each_sheet_and_each_member_is_an_entity(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    orders, customers = book.worksheets[0], book.create_sheet("Customers")
    orders.title = "Orders 2024"
    orders.append(["Order No", "Customer ID", "Ordered on"])
    customers.append(["Customer ID", "City"])
    for number in range(1, 31):
        orders.append([number + 1000, number, date(2024, 5, number)])
        customers.append([number, "Kiel" if number % 2 else "Bonn"])
    book.save(tmp_path / "shop_7.xlsx")
    found = profile("shop", [tmp_path / "shop_7.xlsx"])
    assert {entity.name: (entity.pattern, entity.format.sheet) for entity in found.entities} == {
        "customers": ("shop*", "Customers"),
        "orders": ("shop*", "Orders 2024"),
    }
    assert [(each.column, each.entity) for each in found.entity("orders").references] == [
        ("customer_id", "customers")
    ]
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        archive.writestr("feed/stops.csv", "stop_id;city\nS1;Kiel\nS2;Bonn\n")
        archive.writestr("feed/events [1].jsonl", "\n".join(json.dumps({"event_id": n}) for n in "ab"))
    entities = profile("feed", [tmp_path / "feed.zip"]).entities
    assert {entity.name: entity.format for entity in entities} == {
        "stops": FileFormat(delimiter=";", sheet="stops.csv"),
        "events": FileFormat(sheet="events [[]1].jsonl"),
    }
    assert find_parts(tmp_path / "feed.zip", LIMITS) == ["feed/stops.csv", "feed/events [1].jsonl"]
