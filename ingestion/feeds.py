"""What a delivered file of a domain looks like."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from dlt.common.normalizers.naming.snake_case import NamingConvention

from ingestion.csv_framing import UnreadableFileError

SUFFIXES = (".csv", ".csv.gz")
# Files of these names carry lines of several entities, replacements of rows loaded before.
CORRECTIONS = "corrections*"
# Columns of a file that are for the platform (their names begin with an underscore), by the name
# under which they are read; any other such column is left out.
PLATFORM_COLUMNS = {"_entity": "_entity", "_row_id": "_replaces_row_id"}
_normalize = NamingConvention().normalize_identifier


@dataclass(frozen=True)
class CsvFeed:
    """CSV files of one kind, loaded into `raw_<domain>.<entity>`.

    Attributes:
        domain: the pipeline, and the landing folder's name.
        entity: the raw table.
        columns: the columns that every file must have, in snake_case.
        aliases: other names (in snake_case) under which a column is delivered.
        pattern: which files of the landing folder are of this feed.
        keeps_history: the files are a change log. New content under a known name is a further
            delivery and leaves the rows of the earlier content, which it otherwise replaces.
    """

    domain: str
    entity: str
    columns: tuple[str, ...]
    aliases: dict[str, str] = field(default_factory=dict)
    pattern: str = "*"
    keeps_history: bool = False

    @property
    def kept_files(self) -> str:
        """Pattern of the files whose earlier contents stay when new content comes."""
        return "*" if self.keeps_history else CORRECTIONS

    def keeps_earlier(self, name: str) -> bool:
        """Whether new content under this name leaves the rows of the earlier content."""
        return fnmatchcase(name, self.kept_files)

    def takes(self, name: str) -> bool:
        """Whether a file of this name has lines of this feed, or may have."""
        return is_corrections(name) or fnmatchcase(name, self.pattern)

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
        known = {*self.columns, *PLATFORM_COLUMNS.values()}
        return [name for name in names if name and name not in known]

    def _raw_name(self, written: str) -> str | None:
        name = _normalize(written)
        if written.startswith("_"):
            return PLATFORM_COLUMNS.get(name)
        return self.aliases.get(name, name)


def is_corrections(name: str) -> bool:
    """Whether a file of this name has lines for every feed of its domain."""
    return fnmatchcase(name, CORRECTIONS)


def delivered(landing: Path) -> list[Path]:
    """Everything in a landing folder that says by its name that it is CSV, in the order of loading.

    Other names (`.part` of an upload under way, hidden files) are no deliveries.
    """
    files = (
        path
        for path in landing.iterdir()
        if path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")
    )
    return sorted(files, key=lambda path: (is_corrections(path.name), path.name))
