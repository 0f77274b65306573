"""Which delivered files are one entity, and by which names further files are known."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from common.text import printable
from scaffolding.delivered_files import read_names
from scaffolding.errors import ScaffoldingError
from scaffolding.file_formats import find_format, find_parts
from scaffolding.model import Column, Entity
from scaffolding.names import check_entity_name, entity_of, model_names, pattern_of, sql_words
from settings.file_limits import FileLimits


def _check_distinct(files: Sequence[Path]) -> None:
    names = [path.name for path in files]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ScaffoldingError(
            f"several files are named {', '.join(map(printable, repeated))}; a landing folder takes one"
        )


def group_files(
    files: Sequence[Path],
    names: Mapping[str, str],
    limits: FileLimits,
    header: Sequence[str] = (),
) -> list[Entity]:
    """Return the entities of files, of sheets and of members of zips, with the names of their columns.

    Args:
        files: the delivered files.
        names: the entities of files that are named.
        limits: what the files may hold.
        header: the names of the columns of text files without a header line.

    Raises:
        ScaffoldingError: an entity cannot be named, or a file has no usable header.
    """
    _check_distinct(files)
    grouped: dict[str, list[tuple[Path, str]]] = {}
    for path in files:
        for part in find_parts(path, limits):
            grouped.setdefault(_name(path, part, names), []).append((path, part))
    entities = [_entity(name, parts, limits, header) for name, parts in grouped.items()]
    _set_patterns(entities)
    return entities


def _name(path: Path, part: str, names: Mapping[str, str]) -> str:
    if part and str(path) in names:
        raise ScaffoldingError(
            f"{printable(path.name)}: it holds several entities, which have the names of its sheets or files"
        )
    name = names.get(str(path)) or entity_of(Path(part) if part else path)
    if str(path) not in names and name in sql_words() and not name.endswith("s"):
        name += "s"
    if not name:
        raise ScaffoldingError(
            f"{printable(part or path.name)}: its name does not name an entity; name it:"
            f" --entity NAME={printable(str(path))}"
        )
    check_entity_name(name, path)
    return name


def _entity(name: str, parts: list[tuple[Path, str]], limits: FileLimits, header: Sequence[str]) -> Entity:
    files = [path for path, _ in parts]
    formats = {find_format(path, part, header, limits) for path, part in parts}
    if len(formats) > 1:
        raise ScaffoldingError(
            f"{' and '.join(printable(path.name) for path in files)} are not written alike, so they are not one entity"
            f" {name!r}; name them: --entity NAME={printable(str(files[0]))}"
        )
    (form,) = formats
    headers = {path: read_names(path, form, limits) for path in files}
    written = {raw: name for names in headers.values() for raw, name in names.items()}
    every = [column for names in headers.values() for column in names]
    ordered = list(dict.fromkeys(every))
    optional = tuple(column for column in ordered if every.count(column) < len(files))
    if len(optional) == len(ordered):
        raise ScaffoldingError(
            f"{' and '.join(printable(path.name) for path in files)} have no column in common, so they are not one entity"
            f" {name!r}; name them: --entity NAME={printable(str(files[0]))}"
        )
    keys = {column.replace("_", "") for column in ordered}
    if len(keys) < len(ordered):
        raise ScaffoldingError(
            f"columns of {', '.join(printable(path.name) for path in files)} differ in underscores only; rename them"
        )
    in_models = model_names({raw: written[raw] for raw in ordered}, name)
    unnamed = tuple(raw for raw in ordered if not written[raw])
    columns = [Column(raw, in_models[raw]) for raw in ordered]
    return Entity(name, files, "", form, columns=columns, optional=optional, unnamed=unnamed)


def _set_patterns(entities: list[Entity]) -> None:
    for entity in entities:
        patterns = {pattern_of(path) for path in entity.files}
        if len(patterns) > 1 and len(entities) > 1:
            raise ScaffoldingError(
                f"the files of {entity.name!r} have no name in common: {', '.join(sorted(patterns))}; rename them, so that a"
                " file's name says its entity"
            )
        entity.pattern = patterns.pop() if len(patterns) == 1 else "*"
    for entity in entities:
        others = [path for other in entities for path in other.files if path not in entity.files]
        if any(_fits(path, entity.pattern) for path in others):
            # orders* would also take order_items.csv's sibling orders_archive.csv.
            stem = entity.pattern.rstrip("*")
            narrow = [f"{stem}.*", f"{stem}[0-9]*", f"{stem}?[0-9]*"]
            own = [p for p in narrow if all(_fits(path, p) for path in entity.files)]
            free = [p for p in own if not any(_fits(path, p) for path in others)]
            if not free:
                raise ScaffoldingError(
                    f"the names of the files of {entity.name!r} ({entity.pattern}) are also those of other entities; rename"
                    " the files, so that a file's name says its entity"
                )
            entity.pattern = free[0]


def _fits(path: Path, pattern: str) -> bool:
    return fnmatchcase(path.name, pattern)
