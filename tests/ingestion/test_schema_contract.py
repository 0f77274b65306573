"""Columns that a file has and its resource does not declare, by the resource's `schema_contract`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import settings as project_settings
from ingestion.files.file_resource import FileResource, SchemaContract
from ingestion.row_source import RowSource
from settings import Settings
from tests.ingestion.conftest import Query
from tests.ingestion.declared import declare
from tests.ingestion.declared import load as load_declared

Load = Callable[..., dict[str, str]]
RAW = "select * exclude (_corrects_row_id, _dlt_load_id, _row_id) from raw_ecommerce.invoices order by _source_file, _source_row"
# What a file brought is in the raw table, or it is rejected; each by its own count.
UNACCOUNTED = """
    select loads.source_file from raw_ecommerce.file_loads as loads where status = 'loaded' and (
        rows_read <> rows_loaded + rows_rejected
        or rows_loaded <> (select count(*) from raw_ecommerce.invoices as raw where raw._source_file = loads.source_file)
        or rows_rejected <> (
            select coalesce(sum(line_count), 0) from raw_ecommerce.rejected_lines as rejected
            where rejected.source_file = loads.source_file and rejected._dlt_load_id = loads._dlt_load_id
        )
    )
"""


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, settings: Settings, query: Query) -> Load:
    """Loads invoices with a contract: the status of each file, or why it failed. Every row is accounted for."""
    settings.landing("ecommerce").mkdir(parents=True)

    def run(
        contract: SchemaContract, source: RowSource | None = None, reload: tuple[str, ...] = ()
    ) -> dict[str, str]:
        invoices = FileResource(
            domain="ecommerce",
            entity="invoices",
            columns=("id", "amount"),
            optional=("note",),
            schema_contract=contract,
            source=source,
        )
        declare(monkeypatch, invoices)
        found = load_declared(project_settings.load(), reload=reload)
        assert query(UNACCOUNTED) == []
        return found

    return run


@pytest.fixture
def landing(settings: Settings) -> Path:
    return settings.landing("ecommerce")


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def test_by_default_the_raw_table_evolves(load: Load, landing: Path, query: Query) -> None:
    write(landing / "a.csv", "id,amount,color", "1,10,red", "2,20,")
    assert load("evolve") == {"a.csv": "loaded"}
    assert query("select id, color from raw_ecommerce.invoices order by 1") == [("1", "red"), ("2", None)]


def test_a_frozen_table_takes_no_file_with_other_columns(load: Load, landing: Path, query: Query) -> None:
    write(landing / "a.csv", "id,amount,Color,size", "1,10,,")
    write(landing / "b.csv", "id,amount,note", "2,20,late")
    (landing / "c.jsonl").write_text('{"id": 3, "amount": 1}\n{"id": 4, "amount": 1, "color": null}\n')
    reason = (
        "it has columns that are not declared: {}; declare them in `columns` or `optional` of invoices,"
        " or deliver it without them"
    )
    assert load("freeze") == {
        "a.csv": reason.format("color, size"),
        "b.csv": "loaded",
        "c.jsonl": reason.format("color"),
    }
    assert query("select status, reason from raw_ecommerce.file_loads where source_file = 'a.csv'") == [
        ("failed", reason.format("color, size"))
    ]
    assert query("select id from raw_ecommerce.invoices") == [("2",)]


def test_rows_with_a_value_in_another_column_are_rejected(load: Load, landing: Path, query: Query) -> None:
    write(landing / "a.csv", "id,amount,color", "1,10,red", "2,20,", "3,30", '4,40," "', '5,"5,0",blue')
    assert load("discard_row") == {"a.csv": "loaded"}
    assert query(RAW) == [("2", "20", None, "a.csv", 2), ("4", "40", None, "a.csv", 3)]
    rejected = query(
        "select reason, line_count, line from raw_ecommerce.rejected_lines where line like '{%' order by line_number"
    )
    why = "columns that are not declared have values: color"
    assert [(reason, count, json.loads(line)) for reason, count, line in rejected] == [
        (why, 1, {"id": "1", "amount": "10", "color": "red"}),
        (why, 1, {"id": "5", "amount": "5,0", "color": "blue"}),
    ]
    assert query("select reason from raw_ecommerce.rejected_lines where line not like '{%'") == [
        ("fewer columns than the header: 2 values for 3 columns",)
    ]


def test_a_rejected_row_comes_back_once_its_column_is_declared(
    load: Load, landing: Path, query: Query
) -> None:
    write(landing / "a.csv", "id,amount,color", "1,10,red", "2,20,")
    load("discard_row")
    (row_id,) = query("select _row_id from raw_ecommerce.rejected_lines")
    assert load("evolve", reload=("a.csv",)) == {"a.csv": "replaced"}
    assert query("select id, color from raw_ecommerce.invoices order by 1") == [("1", "red"), ("2", None)]
    assert query("select _row_id from raw_ecommerce.invoices where id = '1'") == [row_id]
    assert query("select * from raw_ecommerce.rejected_lines") == []


def test_values_of_other_columns_are_left_out_and_kept(load: Load, landing: Path, query: Query) -> None:
    write(landing / "a.csv", "id,color,amount,size", "1,red,10,", "2,,20,", "3,blue,30,XL")
    assert load("discard_value") == {"a.csv": "loaded"}
    assert [row[:2] for row in query(RAW)] == [("1", "10"), ("2", "20"), ("3", "30")]
    assert "color" not in [name for (name, *_) in query("describe raw_ecommerce.invoices")]
    kept = query(
        "select id, line_count, reason, line from raw_ecommerce.rejected_lines"
        " inner join raw_ecommerce.invoices using (_row_id) order by id"
    )
    why = "columns that are not declared have values: {}; the row is loaded without them"
    assert [(number, count, reason, json.loads(line)) for number, count, reason, line in kept] == [
        ("1", 0, why.format("color"), {"color": "red", "size": None}),
        ("3", 0, why.format("color, size"), {"color": "blue", "size": "XL"}),
    ]
    assert query("select extra_columns from raw_ecommerce.file_loads") == [("color, size",)]


@pytest.mark.parametrize("contract", ["discard_row", "discard_value"])
def test_a_column_of_an_earlier_contract_gets_no_further_values(
    load: Load, landing: Path, query: Query, contract: SchemaContract
) -> None:
    write(landing / "a.csv", "id,amount,color", "1,10,red")
    load("evolve")
    write(landing / "b.csv", "id,amount,color", "2,20,blue", "3,30,")
    assert load(contract) == {"a.csv": "skipped", "b.csv": "loaded"}
    rows = query("select id, color from raw_ecommerce.invoices order by 1")
    assert rows == [("1", "red"), *([("2", None)] if contract == "discard_value" else []), ("3", None)]


@pytest.mark.parametrize(
    ("contract", "loaded", "rejected"),
    [("discard_row", ["1", "3"], ["2"]), ("discard_value", ["1", "2", "3"], ["2"])],
)
def test_rows_of_a_source_keep_the_contract(
    load: Load, query: Query, contract: SchemaContract, loaded: list[str], rejected: list[str]
) -> None:
    rows = [
        {"id": 1, "amount": 1},
        {"id": 2, "amount": 2, "tags": ["new"]},
        {"id": 3, "amount": 3, "tags": None},
    ]
    assert load(contract, RowSource(lambda _: rows)) == {"invoices.jsonl": "loaded"}
    assert query("select id from raw_ecommerce.invoices order by 1") == [(number,) for number in loaded]
    (kept,) = query("select line_number, line from raw_ecommerce.rejected_lines")
    assert (str(kept[0]), json.loads(kept[1])["tags"]) == (rejected[0], '["new"]')


@pytest.mark.parametrize("contract", ["discard_row", "discard_value"])
def test_what_is_too_much_to_keep_is_counted(
    load: Load,
    landing: Path,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    contract: SchemaContract,
) -> None:
    monkeypatch.setenv("SLUICE_MAX_REJECTED_LINES", "2")
    write(landing / "a.csv", "id,amount,color", *(f"{number},1,red" for number in range(5)))
    assert load(contract) == {"a.csv": "loaded"}
    counts = query("select line_count, reason from raw_ecommerce.rejected_lines order by line_number")
    further = "3 further rows like this; SLUICE_MAX_REJECTED_LINES keeps the first 2"
    each = 1 if contract == "discard_row" else 0
    assert [count for count, _ in counts] == [each, each, 3 * each]
    assert counts[2][1] == further


def test_a_contract_that_dlt_does_not_have_is_refused() -> None:
    with pytest.raises(
        ValueError, match="'drop' of invoices is none of: evolve, freeze, discard_row, discard_value"
    ):
        FileResource(domain="shop", entity="invoices", columns=("id",), schema_contract="drop")  # type: ignore[arg-type]
