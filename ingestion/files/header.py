"""The header of a delivered file, mapped by name to the columns of a raw table."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ingestion.column_names import raw_column_name
from ingestion.files.file_resource import EXPORT_COLUMNS, FileResource, is_corrections
from ingestion.formats import Delivered, UnreadableFileError
from ingestion.loader.loader import Loader

# Columns of an export of the quarantine that are read when it is delivered again.
PLATFORM_COLUMNS = {"_entity": "_entity", "_row_id": "_corrects_row_id"}


@dataclass(frozen=True)
class Header:
    """The columns of one file.

    Attributes:
        written: the names in the file.
        names: the raw column of each; None for one to leave out.
        extra: columns that the resource does not declare; raw keeps them.
    """

    written: list[str]
    names: list[str | None]
    extra: tuple[str, ...]

    @property
    def names_entities(self) -> bool:
        """Whether each line names its entity."""
        return "_entity" in self.names

    def check_columns(self, resource: FileResource) -> None:
        """Check that the file has every required column.

        Raises:
            UnreadableFileError: columns are missing; the message names them.
        """
        missing = [name for name in resource.columns if name not in self.names]
        if len(missing) == len(resource.columns):
            raise UnreadableFileError(
                f"none of the known columns is in its header: {', '.join(self.written)[:1000]}"
            )
        if missing:
            raise UnreadableFileError(f"columns are missing: {', '.join(map(self._with_nearest, missing))}")

    def _with_nearest(self, name: str) -> str:
        nearest = get_close_matches(name, [each.lower() for each in self.extra], n=1)
        return f"{name} (is it {nearest[0]!r}?)" if nearest else name


def map_header(
    delivered: Delivered,
    name: str,
    resource: FileResource,
    siblings: Sequence[FileResource],
    loader: Loader,
) -> Header:
    """Read a file's header and map its names to raw columns.

    Args:
        delivered: the file.
        name: its name.
        resource: the resource to load.
        siblings: all file resources of the domain.
        loader: the loader of the raw table, whose names it knows.

    Raises:
        UnreadableFileError: a name is empty or occurs twice, or a required column is missing.
    """
    written = delivered.read_header()
    names = [column and loader.normalize_column_name(column) for column in _raw_names(written, resource)]
    known = {*resource.columns, *resource.optional, *PLATFORM_COLUMNS.values()}
    if "_entity" in names:
        # Columns of other entities have no place in this raw table.
        wanted = {*known, *loader.columns()}
        names = [name if name in wanted else None for name in names]
    header = Header(written, names, tuple(name for name in names if name and name not in known))
    if not header.names_entities:
        if is_corrections(name):
            entities = ", ".join(sibling.entity for sibling in siblings)
            raise UnreadableFileError(
                f"corrections need a column _entity with one of these values in each line: {entities}"
            )
        header.check_columns(resource)
    return header


def _raw_names(written: Sequence[str], resource: FileResource) -> list[str | None]:
    if "" in written and ("" not in resource.aliases or written.count("") > 1):
        raise UnreadableFileError(
            f"column {written.index('') + 1} of the header has no name; aliases={{'': 'a_name'}} of the resource names one"
        )
    declared = {name: name for name in (*resource.columns, *resource.optional)} | dict(resource.aliases)
    by_key = {_key(alias): name for alias, name in declared.items()}
    is_export = any(header.lower() in EXPORT_COLUMNS for header in written)

    def raw_name(header: str) -> str | None:
        if not header:
            return resource.aliases[""]
        if (known := header.lower()) in EXPORT_COLUMNS:
            return PLATFORM_COLUMNS.get(known)
        if header in resource.exact_aliases and not is_export:
            return resource.exact_aliases[header]
        name = raw_column_name(header)
        return by_key.get(_key(name), name)

    names = [raw_name(header) for header in written]
    for name in dict.fromkeys(names):
        same = [header for header, other in zip(written, names, strict=True) if name and other == name]
        if len(same) > 1:
            raise UnreadableFileError(
                f"columns {' and '.join(map(repr, same))} are both read as {name}; rename or remove one"
            )
    return names


def _key(name: str) -> str:
    """Return a name without case and underscores: `VendorID`, `VENDORID` and `vendor_id` are the same."""
    return name.replace("_", "").lower()
