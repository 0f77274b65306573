"""What is known about the delivered files of a new domain."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from ingestion.file_format import FileFormat

INTEGERS = ("integer", "bigint")
NUMBERS = (*INTEGERS, "decimal", "double")
TIMES = ("date", "timestamp")
# The key of an entity without one: every delivered row is its own.
ROW_ID = "_row_id"


@dataclass
class Column:
    """A column of an entity.

    Attributes:
        raw: its name in the raw table.
        name: its name in the models, which is no word of SQL.
        type: a type of the macro `stage_columns`.
        places: decimal places of a decimal.
        layouts: the layouts of dates and times that are not ISO 8601.
        unit: what is written beside each number, such as a currency; empty for nothing.
        marks: the decimal mark and the group mark of numbers that are written with them; empty for plain numbers.
        is_flag: its values are words such as true and false.
        is_nested: it has values that are JSON objects or arrays.
        is_personal: its name says that it tells about a person.
        present: rows with a value.
        distinct: different values.
        unreadable: rows with a value that the type cannot read.
        least: the least value, of a number or time.
        greatest: the greatest one.
    """

    raw: str
    name: str
    type: str = "text"
    places: int = 0
    layouts: tuple[str, ...] = ()
    unit: str = ""
    marks: str = ""
    is_flag: bool = False
    is_nested: bool = False
    is_personal: bool = False
    present: int = 0
    distinct: int = 0
    unreadable: int = 0
    least: str = ""
    greatest: str = ""

    @property
    def is_number(self) -> bool:
        return self.type in NUMBERS

    @property
    def number_format(self) -> dict[str, str]:
        """How its numbers are written, in the words of `stage_columns`; empty for plain numbers."""
        marks = {",.": {"decimal_mark": ","}, ".,": {"group_mark": ","}}.get(self.marks, {})
        return ({"unit": self.unit} if self.unit else {}) | marks

    @property
    def is_time(self) -> bool:
        return self.type in TIMES

    @property
    def is_checked(self) -> bool:
        """Whether `stage_columns` notes values that cannot be read."""
        return self.type not in ("text", "word")


@dataclass(frozen=True)
class Reference:
    """A column whose values are keys of another entity."""

    column: str
    entity: str
    key: str
    share: float

    @property
    def flag(self) -> str:
        """The name of the rule, and of the column that says whether the key exists."""
        return f"{self.column.removesuffix('_id').removesuffix('_code')}_exists"


@dataclass
class Entity:
    """Files of one kind: one raw table, and the models on it.

    Attributes:
        name: the entity, a plural noun if the files are named so.
        files: the delivered files.
        pattern: the names of further files.
        format: how they are written.
        source: the source whose rows the files have, as Python; empty if they are delivered.
        columns: all columns, in the order of the files.
        optional: raw names of columns that only some files have.
        unnamed: the raw name of the column that has none in the header.
        rows: the number of rows.
        rejected: the number of lines that cannot be split into columns.
        key: names of the columns that identify a row, or `_row_id`.
        day: the column by which rows are counted per month.
        order_by: of rows with one key, the one with the highest values counts.
        has_versions: a file has several rows with one key, and `order_by` says which is the newest.
        references: to other entities.
        failing: rows that will be in quarantine.
        samples: some rows as delivered, by raw name, with texts about persons masked.
        mart: the name of its fact or dimension.
        month_mart: the name of its aggregate; empty for none.
    """

    name: str
    files: list[Path]
    pattern: str
    format: FileFormat = FileFormat()
    source: str = ""
    columns: list[Column] = field(default_factory=list)
    optional: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    rows: int = 0
    rejected: int = 0
    key: tuple[str, ...] = (ROW_ID,)
    day: Column | None = None
    order_by: tuple[str, ...] = ()
    has_versions: bool = False
    references: list[Reference] = field(default_factory=list)
    failing: int = 0
    samples: list[dict[str, str | None]] = field(default_factory=list)
    mart: str = ""
    month_mart: str = ""

    @property
    def has_key(self) -> bool:
        return self.key != (ROW_ID,)

    @property
    def required(self) -> tuple[str, ...]:
        """Raw names of the columns that all files have."""
        return tuple(column.raw for column in self.columns if column.raw not in self.optional)

    @property
    def personal(self) -> tuple[str, ...]:
        """Raw names of the columns that may tell about persons."""
        return tuple(column.raw for column in self.columns if column.is_personal)

    @property
    def format_arguments(self) -> str:
        """The arguments of its `FileFormat` that are not the usual ones, as Python."""
        usual = FileFormat()
        values = {each.name: getattr(self.format, each.name) for each in fields(FileFormat)}
        return ", ".join(
            f"{name}={value!r}" for name, value in values.items() if value != getattr(usual, name)
        )

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def measures(self) -> list[Column]:
        """Return the numbers that are neither a key nor a reference."""
        keys = {*self.key, *(reference.column for reference in self.references)}
        return [column for column in self.columns if column.is_number and column.name not in keys]


# The modules of the sources that an entity may have.
SOURCES = {
    "RemoteFiles": "ingestion.remote_files",
    "database_table": "ingestion.extract.database",
    "rest_api": "ingestion.extract.rest_api",
}


@dataclass
class Domain:
    """A new domain.

    Attributes:
        name: the domain.
        entities: in the order of loading.
        doubts: sentences about what was guessed.
        configuration: of the REST API that it reads; empty for none.
    """

    name: str
    entities: list[Entity]
    doubts: list[str] = field(default_factory=list)
    configuration: str = ""

    @property
    def imports(self) -> list[str]:
        """The modules and names that the declaration of its source imports, in the order of the modules."""
        needed = {("ingestion.files.file_resource", "FileResource")}
        for entity in self.entities:
            needed |= (
                {(SOURCES[entity.source.partition("(")[0]], entity.source.partition("(")[0])}
                if entity.source
                else set()
            )
            needed |= {("ingestion.file_format", "FileFormat")} if entity.format_arguments else set()
        return [f"from {module} import {name}" for module, name in sorted(needed)]

    @property
    def delivers(self) -> str:
        """What its sources deliver, as the first word of a sentence."""
        kinds = {entity.source.partition("(")[0] for entity in self.entities}
        return {"database_table": "Tables", "rest_api": "Resources of an API"}.get(min(kinds), "Files")

    def entity(self, name: str) -> Entity:
        return next(entity for entity in self.entities if entity.name == name)

    def files(self) -> Iterator[Path]:
        """Yield the delivered files."""
        for entity in self.entities:
            yield from entity.files

    @property
    def failing_share(self) -> float:
        """The share of the rows that will be in quarantine, from 0 to 1."""
        rows = sum(entity.rows + entity.rejected for entity in self.entities)
        return sum(entity.failing for entity in self.entities) / rows if rows else 0.0

    def is_referenced(self, entity: Entity) -> bool:
        """Whether another entity refers to this one."""
        return any(
            reference.entity == entity.name for other in self.entities for reference in other.references
        )
