"""What a delivered file of a domain looks like."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path

from ingestion.files.landing import CORRECTIONS, delivered, is_corrections
from ingestion.results import UnreadableFileError

# Columns of a file that are for the platform (their names begin with an underscore), by the name
# under which they are read; any other such column is left out.
PLATFORM_COLUMNS = {"_entity": "_entity", "_row_id": "_corrects_row_id"}


@cache
def _normalize(name: str) -> str:
    # DAGs read the declarations when they are parsed, and dlt takes a second to import.
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    return NamingConvention().normalize_identifier(name)


class UnknownPartitionError(ValueError):
    """A feed has no files of such parts; the message says why."""


@dataclass(frozen=True)
class FileResource:
    """Files of one kind, loaded into `raw_<domain>.<entity>`.

    Attributes:
        domain: the pipeline, and the landing folder's name.
        entity: the raw table.
        columns: the columns that every file must have, in snake_case.
        optional: columns that only some files have; the raw table has them in any case.
        aliases: other names (in snake_case) under which a column is delivered.
        pattern: which files of the landing folder are of this feed.
        keeps_history: the files are a change log. New content under a known name is a further
            delivery and leaves the rows of the earlier content, which it otherwise replaces.
        partition: regular expression for the part of a file's name (without its suffix) that says
            which part of the whole the file is, such as its month. A file then replaces whatever
            was loaded for its partition, under whichever name, and the raw table has the column
            `_partition`. Corrections of single lines, which name no partition, are not taken.
        moves_files: a file leaves the landing folder once it has been dealt with: a loaded one for the archive's
            folder of that day, a broken one for the landing folder's `failed`, with the reason beside it. The
            domain has no other feed of files.
    """

    domain: str
    entity: str
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    pattern: str = "*"
    keeps_history: bool = False
    partition: str | None = None
    moves_files: bool = False

    @property
    def replaced_by(self) -> str:
        """The raw column whose value says which rows a file replaces."""
        return "_partition" if self.partition else "_source_file"

    def partition_of(self, name: str) -> str | None:
        """The partition that a file's name says, None if it says none."""
        found = re.search(self.partition, name.split(".")[0]) if self.partition else None
        return found[0] if found else None

    @property
    def kept_files(self) -> str:
        """Pattern of the files whose earlier contents stay when new content comes."""
        if self.partition:
            return ""
        return "*" if self.keeps_history else CORRECTIONS

    def keeps_earlier(self, name: str) -> bool:
        """Whether new content under this name leaves the rows of the earlier content."""
        return fnmatchcase(name, self.kept_files)

    def check_partitions(self, partitions: Iterable[str]) -> None:
        """Make sure that the feed has files of such parts.

        Raises:
            UnknownPartitionError: it has none; the message says why.
        """
        if not self.partition:
            raise UnknownPartitionError(f"{self.domain} has files of {self.entity}, but not one a month")
        if unknown := [each for each in partitions if not re.fullmatch(self.partition, each)]:
            raise UnknownPartitionError(f"{', '.join(map(repr, unknown))}: not a month written as 2024-05")

    def takes(self, name: str) -> bool:
        """Whether a file of this name has lines of this feed, or may have."""
        if is_corrections(name):
            return not self.partition
        return fnmatchcase(name, self.pattern)

    def files(self, landing: Path) -> list[Path]:
        """The feed's files in a landing folder, in the order in which they are loaded.

        By name, but corrections last: where several rows have one key, the last loaded one counts.
        """
        return [path for path in delivered(landing) if self.takes(path.name)]

    def column_names(self, header: Sequence[str]) -> list[str | None]:
        """Raw column names for a file's header, in the file's order; None for a column to leave out.

        Raises:
            UnreadableFileError: a column has no name, or a name occurs twice; the message says which.
        """
        if "" in header:
            raise UnreadableFileError(f"column {header.index('') + 1} of the header has no name")
        names = [self._raw_name(written) for written in header]
        pairs = zip(header, names, strict=True)
        twice = sorted({written for written, name in pairs if name and names.count(name) > 1})
        if twice:
            raise UnreadableFileError(f"columns occur twice: {', '.join(twice)}")
        return names

    def check_columns(self, names: Collection[str | None], header: Sequence[str]) -> None:
        """Make sure that all known columns are there.

        Raises:
            UnreadableFileError: some are not; the message names them.
        """
        missing = [name for name in self.columns if name not in names]
        if len(missing) == len(self.columns):
            raise UnreadableFileError(
                f"none of the known columns is in its header: {', '.join(header)[:200]}"
            )
        if missing:
            raise UnreadableFileError(f"columns are missing: {', '.join(missing)}")

    def extra_columns(self, names: Collection[str | None]) -> list[str]:
        """Columns of a file that the feed does not know; they are kept in raw."""
        known = {*self.columns, *self.optional, *PLATFORM_COLUMNS.values()}
        return [name for name in names if name and name not in known]

    def _raw_name(self, written: str) -> str | None:
        name = _normalize(written)
        if written.startswith("_"):
            return PLATFORM_COLUMNS.get(name)
        return self._known_names.get(_squashed(name), name)

    @cached_property
    def _known_names(self) -> dict[str, str]:
        """Column by each name under which it is delivered, squashed."""
        own = {name: name for name in (*self.columns, *self.optional)}
        return {_squashed(written): name for written, name in (own | self.aliases).items()}


def _squashed(name: str) -> str:
    """A name as it is compared: `VendorID`, `VENDORID` and `vendor_id` are one."""
    return name.replace("_", "").lower()
