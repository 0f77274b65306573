"""The declaration of the files that are loaded into one raw table."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from ingestion.file_format import FileFormat
from ingestion.remote_files import RemoteFiles
from ingestion.row_source import RowSource

# In dlt's words.
SchemaContract = Literal["evolve", "freeze", "discard_row", "discard_value"]
# Files of these names carry lines for several entities that replace rows loaded before.
CORRECTIONS = "corrections*"
# Columns of an export of the quarantine, which is delivered again as such a file.
EXPORT_COLUMNS = (
    "_entity",
    "_row_id",
    "_source_file",
    "_line_number",
    "_source_row",
    "_reasons",
    "_rejected_line",
)


def is_corrections(name: str) -> bool:
    """Whether a file of this name has lines for every unpartitioned resource of its domain."""
    return fnmatchcase(name, CORRECTIONS)


@dataclass(frozen=True)
class FileResource:
    """Files of one kind, loaded into `raw_<domain>.<entity>`.

    Attributes:
        domain: the pipeline, and the name of the landing folder.
        entity: the raw table.
        columns: the columns that every file must have, in snake_case; names, or descriptions by name.
        optional: columns that only some files have; the raw table always has them.
        personal: the columns about persons, see `docs/lineage.md`.
        aliases: other names (in snake_case) under which a column is delivered; '' for a column without a name.
        exact_aliases: names under which a source delivers another column than the name says, written exactly so. A
            file of corrections, which has the names of raw columns, does not mean them.
        schema_contract: what happens to other columns that a file has. `evolve`: the raw table gets them. `freeze`: the file
            fails. `discard_row`: a row with a value in one of them is rejected. `discard_value`: the row is loaded without
            these values. What is rejected or left out is in `rejected_lines`.
        pattern: the file names in the landing folder that belong to this resource.
        format: how they are written, where their suffix does not say it.
        source: the source whose rows its files have, or that has the files, see `RowSource` and `RemoteFiles`; None if they
            are delivered.
        keeps_history: the files are a change log. New content under a known name is a further
            delivery and keeps the rows of the earlier content, which it otherwise replaces.
        partition: a regular expression for the part of a file's name (without its suffix) that says
            which partition it holds, such as a month. A file then replaces whatever was loaded for its
            partition under any name, and the raw table has the column `_partition`. Corrections of
            single lines, whose names have no partition, are not loaded.
        day: the column with the day of a row. New content under a known name that has rows of other days only is then
            published by force alone: a daily file may have been delivered under the name of the day before.
        moves_files: a loaded file moves to the archive's folder of that day, a broken one to the landing
            folder's `failed`, with the reason beside it. The domain has no other file resource.
    """

    domain: str
    entity: str
    columns: Collection[str]
    optional: Collection[str] = ()
    personal: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    exact_aliases: Mapping[str, str] = field(default_factory=dict)
    schema_contract: SchemaContract = "evolve"
    pattern: str = "*"
    format: FileFormat = FileFormat()
    source: RowSource | RemoteFiles | None = None
    keeps_history: bool = False
    partition: str | None = None
    day: str | None = None
    moves_files: bool = False

    def __post_init__(self) -> None:
        """Check the schema contract.

        Raises:
            ValueError: it is none of dlt's.
        """
        if self.schema_contract not in (known := get_args(SchemaContract)):
            raise ValueError(
                f"schema_contract {self.schema_contract!r} of {self.entity} is none of: {', '.join(known)}"
            )

    @property
    def name(self) -> str:
        """What a load is asked for by."""
        return self.entity

    @property
    def replaced_by(self) -> str:
        """The raw column whose value says which rows a file replaces."""
        return "_partition" if self.partition else "_source_file"

    @property
    def kept_files(self) -> str:
        """The pattern of the files whose earlier contents stay when new content comes; empty if there are none."""
        if self.partition:
            return ""
        return "*" if self.keeps_history else CORRECTIONS

    def keeps_earlier(self, name: str) -> bool:
        """Whether new content under this name keeps the rows of the earlier content."""
        return fnmatchcase(name, self.kept_files)

    def matches(self, name: str) -> bool:
        """Whether a file of this name has, or may have, lines of this resource."""
        if is_corrections(name):
            return not self.partition
        return fnmatchcase(name, self.pattern)

    def partition_of(self, name: str) -> str | None:
        """Return the partition in a file's name; None if it has none."""
        found = re.search(self.partition, name.split(".")[0]) if self.partition else None
        return found[0] if found else None
