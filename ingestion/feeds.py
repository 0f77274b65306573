"""What a delivered file of a domain looks like."""

from dataclasses import dataclass, field
from pathlib import Path

from dlt.common.normalizers.naming.snake_case import NamingConvention

from ingestion.csv_framing import UnreadableFileError

SUFFIXES = (".csv", ".csv.gz")
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
    """

    domain: str
    entity: str
    columns: tuple[str, ...]
    aliases: dict[str, str] = field(default_factory=dict)
    pattern: str = "*"

    def files(self, landing: Path) -> list[Path]:
        """The feed's files in a landing folder, in the order in which they are loaded (by name)."""
        return sorted(
            path
            for path in landing.glob(self.pattern)
            if path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")
        )

    def column_names(self, header: list[str]) -> list[str]:
        """Raw column names for a file's header, in the file's order.

        Raises:
            UnreadableFileError: known columns are missing or a name occurs twice; the message
                names them.
        """
        written = [_normalize(name) if name else "" for name in header]
        names = [self.aliases.get(name, name) for name in written]
        missing = [name for name in self.columns if name not in names]
        if len(missing) == len(self.columns):
            raise UnreadableFileError(
                f"none of the known columns is in its header: {', '.join(header)[:200]}"
            )
        if missing:
            raise UnreadableFileError(f"columns are missing: {', '.join(missing)}")
        if "" in names:
            raise UnreadableFileError(f"column {names.index('') + 1} of the header has no name")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UnreadableFileError(f"columns occur twice: {', '.join(twice)}")
        return names

    def extra_columns(self, names: list[str]) -> list[str]:
        """Columns of a file that the feed does not know; they are kept in raw."""
        return [name for name in names if name not in self.columns]
