"""Adds a new domain to the project, as a whole or not at all."""

import ast
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.atomic_write import atomic_write
from common.text import printable
from scaffolding.errors import ScaffoldingError
from scaffolding.generated.declaration import (
    MODELS,
    Declaration,
    declared_files,
    parse_properties,
    shared_marts,
)
from scaffolding.generated.files import GENERATED, generated_files
from scaffolding.model import Domain, Entity
from scaffolding.names import check_domain_name
from scaffolding.project_files import (
    PROJECT_YML,
    SELECTORS_YML,
    has_entry,
    model_names,
    own_paths,
    with_entry,
)
from scaffolding.render import render
from transformation.exposures import Pages

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What a new domain adds to the project.

    Attributes:
        domain: the domain.
        files: the content of each new file that its owners edit, by its path in the project.
        generated: the content of each file that follows from those, by its path in the project.
        edits: the new content of each file that changes, by its path in the project.
    """

    domain: Domain
    files: dict[str, str]
    generated: dict[str, str]
    edits: dict[str, str]

    def describe_files(self) -> str:
        """Return the paths of all files."""
        lines = [f"  {path} ({len(content.splitlines())} lines)" for path, content in self.files.items()]
        lines += [f"  {path} (an entry)" for path in self.edits]
        folder = f"{MODELS}/*/{self.domain.name}/{GENERATED}"
        return "\n".join([*lines, f"  {folder} ({len(self.generated)} generated files)"])

    def describe_contents(self) -> str:
        """Return the content of all new files."""
        return "\n".join(f"==> {path} <==\n{content}" for path, content in self.files.items())


def check_is_new(domain: str, root: Path) -> None:
    """Check that a domain may have this name, and that nothing of it exists.

    Args:
        domain: the name.
        root: the project.

    Raises:
        ScaffoldingError: it may not, or exists.
    """
    existing = [str(path.relative_to(root)) for path in own_paths(domain, root) if path.exists()]
    existing += [
        path for path in (PROJECT_YML, SELECTORS_YML) if has_entry(path, (root / path).read_text(), domain)
    ]
    if existing:
        raise ScaffoldingError(
            f"{domain!r} exists already: {', '.join(existing)}. Choose another name; nothing is overwritten"
        )
    check_domain_name(domain)


def plan(domain: Domain, root: Path, pages: Pages) -> Plan:
    """Return what a new domain adds to the project; nothing is written.

    Args:
        domain: the domain, see `profile`.
        root: the project.
        pages: returns the pages of the dashboard that read some of a domain's marts.

    Raises:
        ScaffoldingError: a name is taken.
    """
    check_is_new(domain.name, root)
    files = render(domain, model_names(root))
    generated = generated_files(_declaration(domain, files, root), pages)
    edits = {
        path: with_entry(path, (root / path).read_text(), domain.name)
        for path in (PROJECT_YML, SELECTORS_YML)
    }
    return Plan(domain, files, generated, edits)


def _declaration(domain: Domain, files: Mapping[str, str], root: Path) -> Declaration:
    """Return what the files of a domain will declare."""
    source = ast.parse(files[f"ingestion/sources/{domain.name}.py"])
    tables = [
        declared_files(entity.name, entity.pattern, _declared_columns(entity), entity.personal)
        for entity in domain.entities
    ]
    models = {(path.parts[-3], path.stem) for path in map(Path, files) if path.suffix == ".sql"}
    properties = parse_properties(
        {
            path: text
            for path, text in files.items()
            if path.startswith("dbt_project/") and path.endswith(".yml")
        }
    )
    description = (ast.get_docstring(source) or "").splitlines()[0]
    return Declaration(
        domain.name, description, tuple(tables), frozenset(models), shared_marts(root), properties
    )


def _declared_columns(entity: Entity) -> dict[str, str]:
    return dict.fromkeys([*entity.required, *entity.optional], "")


def write(planned: Plan, root: Path, check: Callable[[], None]) -> None:
    """Write the files of a new domain, and take all of them back if they are rejected.

    Args:
        planned: what to write.
        root: the project.
        check: raises an error if the project with the new files is invalid.

    Raises:
        ScaffoldingError: a file appeared in the meantime, or the check failed.
    """
    before = {path: (root / path).read_text() for path in planned.edits}
    written: list[Path] = []
    folders: list[Path] = []
    try:
        for path, content in (planned.files | planned.generated).items():
            target = root / path
            missing = [folder for folder in target.parents if not folder.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            folders += missing
            with target.open("x", encoding="utf-8") as file:
                written.append(target)
                file.write(content)
        for path, content in planned.edits.items():
            _replace(root / path, content)
        check()
    except BaseException as error:
        for path, content in before.items():
            _replace(root / path, content)
        for target in written:
            target.unlink(missing_ok=True)
        for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
            folder.rmdir()
        if isinstance(error, Exception):
            raise ScaffoldingError(
                f"the new domain is not valid, and all that was written is removed again: {error}"
            ) from error
        raise


def check_landing(files: Sequence[Path], landing: Path) -> None:
    """Check that files can be copied into a landing folder.

    Raises:
        ScaffoldingError: it has a file of such a name.
    """
    if taken := [path.name for path in files if (landing / path.name).exists()]:
        raise ScaffoldingError(
            f"{landing} has {', '.join(map(printable, taken))} already; nothing is overwritten"
        )


def deliver(files: Sequence[Path], landing: Path) -> None:
    """Copy files into a landing folder.

    Raises:
        OSError: a file cannot be copied.
    """
    landing.mkdir(parents=True, exist_ok=True)
    for path in files:
        with atomic_write(landing / path.name) as copy:
            shutil.copyfile(path, copy)


def _replace(path: Path, content: str) -> None:
    if path.read_text() != content:
        mode = path.stat().st_mode
        with atomic_write(path) as new:
            new.write_text(content)
            new.chmod(mode)
