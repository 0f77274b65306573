"""What `sluice new` finds out about delivered files."""

import gzip
from pathlib import Path

import duckdb
import pytest

from scaffolding.errors import ScaffoldingError
from scaffolding.model import ROW_ID, Domain, Entity
from scaffolding.names import entity_of, is_personal, pattern_of, singular
from scaffolding.profile import profile
from tests.scaffolding.helpers import CUSTOMERS, customers, orders, write


def one(path: Path) -> Entity:
    (entity,) = profile("shop", [path]).entities
    return entity


def one_of(files: list[Path]) -> Entity:
    (entity,) = profile("shop", files).entities
    return entity


def column_of(tmp_path: Path, values: list[str], name: str = "value") -> tuple[str, int]:
    """Return the type of a column with these values, and its decimal places."""
    column = one(write(tmp_path / "things.csv", f"{name},other", *(f'"{value}",x' for value in values)))
    found = column.columns[0]
    return found.type, found.places


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "20", "-3", "4.0"], ("integer", 0)),
        (["3000000000"], ("bigint", 0)),
        (["1.5", "2", "3.125"], ("decimal", 3)),
        (["1", "2.5"], ("decimal", 2)),
        (["1.23456789"], ("double", 0)),
        (["1.5e3", "2"], ("double", 0)),
        (["007", "8"], ("code", 0)),
        (["99999999999999999999"], ("code", 0)),
        (["2024-05-01", "2024-05-02 00:00:00"], ("date", 0)),
        (["2024-05-01T10:30:00Z", "2024-05-02 08:00:00"], ("timestamp", 0)),
        (["31.12.2023", "01.01.2024"], ("date", 0)),
        (["12/31/2023 10:30"], ("timestamp", 0)),
        (["Yes", "no", "yes"], ("word", 0)),
        (["1,50", "2,25"], ("decimal", 2)),
        (["1.234,5", "7"], ("decimal", 2)),
        (["1,500", "2,250"], ("text", 0)),
        (["1,500", "2,250.75"], ("decimal", 2)),
        (["$1.50"], ("decimal", 2)),
        (["5%", "12 %"], ("integer", 0)),
        (["$1.50", "£1.50"], ("text", 0)),
        (["€ 1.234,50", "-2,00 €"], ("decimal", 2)),
        (["a", "1"], ("text", 0)),
        (["", "N/A", "-"], ("text", 0)),
        (["1", "N/A", "", "2"], ("integer", 0)),
        ([*"123456789", "ten"], ("integer", 0)),
        ([*"12345678", "nine", "ten"], ("text", 0)),
    ],
)
def test_a_column_has_the_type_that_reads_nine_of_ten_values(
    tmp_path: Path, values: list[str], expected: tuple[str, int]
) -> None:
    assert column_of(tmp_path, values) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("order_id", "12", "code"),
        ("zip", "10115", "code"),
        ("phone", "491701234", "text"),
        ("amount", "12", "integer"),
    ],
)
def test_the_name_says_whether_a_number_is_a_quantity(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    assert column_of(tmp_path, [value], name)[0] == expected


def test_the_layout_of_dates_is_the_one_that_reads_them_and_else_a_doubt(tmp_path: Path) -> None:
    (entity,) = profile("shop", [write(tmp_path / "a.csv", "x,y", "13/02/2024,02/13/2024")]).entities
    assert [column.layouts for column in entity.columns] == [("%d/%m/%Y",), ("%m/%d/%Y",)]
    found = profile("shop", [write(tmp_path / "a.csv", "x", "01/02/2024")])
    assert any("%d/%m/%Y and %m/%d/%Y" in doubt for doubt in found.doubts)


def test_a_named_identifier_is_the_key_even_if_some_rows_repeat_it(tmp_path: Path) -> None:
    lines = [f"{n},{n}" for n in range(30)]
    found = profile("shop", [write(tmp_path / "orders.csv", "id,amount", *lines, "3,3", "4,99", ",5")])
    (entity,) = found.entities
    assert entity.key == ("id",)
    assert entity.failing == 3
    assert [doubt for doubt in found.doubts if "orders" in doubt] == [
        "`orders.id` repeats 2 times: the newest row counts",
        "2 rows of `orders` with the id of another row of the file, but other values: they go to quarantine",
        "1 row of `orders` without id: it goes to quarantine",
    ]


def test_of_several_versions_the_time_of_the_change_decides(tmp_path: Path) -> None:
    first = write(tmp_path / "items_1.csv", "id,updated_at", "1,2024-05-02", "2,2024-05-02")
    second = write(tmp_path / "items_2.csv", "id,updated_at", "1,2024-05-01")
    (entity,) = profile("shop", [first, second]).entities
    assert (entity.key, entity.order_by, entity.pattern) == (("id",), ("updated_at",), "items*")


def test_versions_in_one_file_are_no_conflict_if_a_time_orders_them(tmp_path: Path) -> None:
    lines = [f"{n},2024-05-01,a" for n in range(30)]
    path = write(tmp_path / "customers.csv", "id,updated_at,region", *lines, "3,2024-05-02,b")
    entity = one(path)
    assert (entity.key, entity.has_versions, entity.failing) == (("id",), True, 0)


def test_rows_that_refer_to_rows_in_quarantine_are_counted_too(tmp_path: Path) -> None:
    people = write(tmp_path / "customers.csv", "id,region", *(f"{n},a" for n in range(30)), "3,b")
    lines = [f"{n},{n % 30},5" for n in range(60)]
    found = profile("shop", [people, write(tmp_path / "orders.csv", "id,customer_id,amount", *lines)])
    assert {entity.name: entity.failing for entity in found.entities} == {"customers": 2, "orders": 2}


def test_the_first_small_set_of_unique_columns_is_the_key(tmp_path: Path) -> None:
    lines = [f"{station},2024-05-{day:02d},{day}" for station in "ab" for day in range(1, 16)]
    assert one(write(tmp_path / "readings.csv", "station,day,value", *lines)).key == ("station", "day")


def test_without_a_key_every_row_is_its_own(tmp_path: Path) -> None:
    found = profile("shop", [write(tmp_path / "sales.csv", "store,amount", *["north,1"] * 30)])
    assert found.entities[0].key == (ROW_ID,)
    assert any("no column that is unique" in doubt for doubt in found.doubts)
    few = write(tmp_path / "few.csv", "store,amount", "north,1", "south,2")
    assert one(few).key == (ROW_ID,), "two rows prove nothing"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    folder = tmp_path_factory.mktemp("delivered")
    return profile("shop", [orders(folder), customers(folder)])


def test_a_column_refers_to_the_entity_whose_keys_it_has(shop: Domain) -> None:
    assert [entity.name for entity in shop.entities] == ["customers", "orders"]
    (reference,) = shop.entity("orders").references
    assert (reference.column, reference.entity, reference.key) == ("customer_id", "customers", "id")
    assert reference.flag == "customer_exists"
    assert (
        "2 rows of `orders` with a customer_id that `customers` lacks: they go to quarantine" in shop.doubts
    )
    assert shop.entity("customers").references == []


def test_rows_that_will_be_in_quarantine_and_rejected_lines_are_counted(shop: Domain) -> None:
    entity = shop.entity("orders")
    assert (entity.rows, entity.rejected, entity.failing) == (100, 1, 3)
    assert shop.failing_share == pytest.approx(3 / (101 + CUSTOMERS))
    assert any("line 102" in doubt for doubt in shop.doubts)


def test_words_of_sql_get_another_name(shop: Domain) -> None:
    names = {column.raw: column.name for column in shop.entity("orders").columns}
    assert (names["date"], names["select"], names["quantity"]) == ("order_date", "order_select", "quantity")


def test_texts_about_persons_are_masked_in_samples(shop: Domain) -> None:
    samples = [*shop.entity("customers").samples]
    assert len(samples) == 2
    for sample in samples:
        assert sample["email"] == sample[":email"] == "xxx0@xxxxxxx.xxx"
        assert "Ann" not in str(sample)
        assert sample["id"].startswith("C0")


@pytest.mark.parametrize(
    ("name", "entity", "expected"),
    [
        ("email", "orders", True),
        ("home_phone", "orders", True),
        ("name", "customers_eu", True),
        ("name", "products", False),
        ("customer_name", "orders", True),
        ("on_street_name", "crashes", False),
        ("street", "customers", True),
        ("date_of_birth", "x", True),
        ("region", "customers", False),
    ],
)
def test_a_name_says_whether_a_column_tells_about_a_person(name: str, entity: str, expected: bool) -> None:
    assert is_personal(name, entity) is expected


def test_a_sign_at_the_end_of_a_name_is_left_out_of_the_models(tmp_path: Path) -> None:
    found = one(write(tmp_path / "sums.csv", "Fee (EUR),Rate,Rate %,Index", "1,2,3,4", "2,3,4,5"))
    names = [(column.raw, column.name) for column in found.columns]
    assert names == [("fee_eurx", "fee_eur"), ("rate", "rate"), ("ratex", "ratex"), ("index", "index")]


def test_a_column_without_a_name_gets_one(tmp_path: Path) -> None:
    found = one(write(tmp_path / "frames.csv", ",label", *(f"{n},x" for n in range(3))))
    assert [column.raw for column in found.columns] == ["column_1", "label"]
    assert found.unnamed == ("column_1",)


def test_the_key_is_no_json_and_rather_a_column_that_is_named_so(tmp_path: Path) -> None:
    events = write(tmp_path / "events.csv", "event,user", *(f'"{{""n"": {n}}}",u{n % 3}' for n in range(30)))
    assert one(events).key == ("_row_id",)
    counties = write(tmp_path / "counties.csv", "UID,place key,n", *(f"84{n:03},c{n},1" for n in range(30)))
    assert one(counties).key == ("uid",)


def test_gzip_and_parquet_are_read_as_csv_is(tmp_path: Path) -> None:
    plain = customers(tmp_path)
    packed = tmp_path / "customers_2.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    parquet = tmp_path / "customers_3.parquet"
    duckdb.sql(f"copy (from read_csv('{plain}', all_varchar = true)) to '{parquet}'")
    kinds = [[(column.raw, column.type) for column in one(path).columns] for path in (plain, packed, parquet)]
    assert kinds[0] == kinds[1] == kinds[2]


def test_several_files_are_one_entity_and_a_column_of_some_is_optional(tmp_path: Path) -> None:
    first = write(tmp_path / "sales 2024-01.csv", "store,amount", "a,1")
    second = write(tmp_path / "sales 2024-02.csv", "store,amount,coupon", "b,2,x")
    entity = one_of([first, second])
    assert (entity.name, entity.rows, entity.optional, entity.pattern) == ("sales", 2, ("coupon",), "sales*")


def test_patterns_of_entities_take_no_file_of_another(tmp_path: Path) -> None:
    first = write(tmp_path / "order.csv", "id", "1")
    second = write(tmp_path / "order_items.csv", "id", "1")
    patterns = {entity.name: entity.pattern for entity in profile("shop", [first, second]).entities}
    assert patterns == {"order_items": "order_items*", "orders": "order.*"}


@pytest.mark.parametrize(
    ("name", "entity", "pattern"),
    [
        ("orders.csv", "orders", "orders*"),
        ("orders_2024-05.csv.gz", "orders", "orders*"),
        ("2024-05-01 Order Items.csv", "order_items", "*Order Items*"),
        ("OrderItems7.parquet", "order_items", "OrderItems*"),
        ("orders_2024_eu.csv", "orders_eu", "orders*eu*"),
        ("Orders-Export_2024.csv", "orders", "Orders*"),
        ("samples.csv", "samples", "samples*"),
        ("2024.csv", "", "*"),
    ],
)
def test_a_files_name_says_its_entity(name: str, entity: str, pattern: str) -> None:
    assert (entity_of(Path(name)), pattern_of(Path(name))) == (entity, pattern)


@pytest.mark.parametrize(
    ("plural", "expected"),
    [
        ("orders", "order"),
        ("categories", "category"),
        ("boxes", "box"),
        ("addresses", "address"),
        ("status", "status"),
    ],
)
def test_singular(plural: str, expected: str) -> None:
    assert singular(plural) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xls", b"\xd0\xcf", "suffix .xls are not taken; save it as .xlsx"),
        ("a.json", b"[]", "suffix .json are not taken; convert it to JSON lines"),
        ("a.dat", b"x", "suffix .dat are not taken; deliver it as .csv, .tsv or .jsonl"),
        ("a.xlsx", b"PK\x03\x04", "it is not an Excel workbook"),
        ("a.zip", b"PK\x03\x04", "it is not a zip archive"),
        ("a.jsonl", b"{}", "none of its lines is a JSON object with fields"),
        ("a.csv", b'{"x": 1}', "it is not CSV but JSON; name it .jsonl"),
        ("a.csv", b"PK\x03\x04", "it is not CSV but a zip archive or an Excel file"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"x,y\n", "no row but the header"),
        ("a.csv", b"x,,\n1,2,3\n", "2 columns of the header have no name"),
        ("a.csv", b"Order ID,order_id\n1,2\n", "columns 'Order ID' and 'order_id' have one name"),
        ("2024.csv", b"x\n1\n", "its name does not name an entity; name it: --entity NAME="),
        ("file_loads.csv", b"x\n1\n", "'file_loads' is reserved"),
        ("corrections.csv", b"x\n1\n", "'corrections' is reserved"),
        ("a.parquet", b"PAR1", "not a complete Parquet file"),
    ],
)
def test_a_file_that_a_load_would_not_take_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ScaffoldingError) as refused:
        profile("shop", [tmp_path / name])
    assert message in str(refused.value)


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldingError, match="there is no such file"):
        profile("shop", [tmp_path / "missing.csv"])
    first, second = write(tmp_path / "a_1.csv", "x", "1"), write(tmp_path / "a_2.csv", "y", "1")
    with pytest.raises(ScaffoldingError, match="no column in common"):
        profile("shop", [first, second])
    (tmp_path / "other").mkdir()
    with pytest.raises(ScaffoldingError, match=r"several files are named a_1.csv"):
        profile("shop", [first, write(tmp_path / "other" / "a_1.csv", "x", "1")])
