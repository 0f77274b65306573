"""Writes the generated files of domains, or says which differ from what the domains declare."""

from pathlib import Path

from common.atomic_write import atomic_write
from scaffolding.generated.declaration import MODELS, domains_of, read_declaration
from scaffolding.generated.files import GENERATED, generated_files
from transformation.exposures import Pages


def outdated_files(root: Path, pages: Pages) -> dict[str, str | None]:
    """Return the generated files that differ from what the domains declare.

    Args:
        root: the project.
        pages: returns the pages of the dashboard that read some of a domain's marts.

    Returns:
        The content that each should have, by its path in the project; None if it should not be there.

    Raises:
        ScaffoldingError: the files of a domain cannot be generated.
    """
    wanted: dict[str, str | None] = {}
    for domain in domains_of(root):
        wanted |= generated_files(read_declaration(domain, root), pages)
    existing = {
        str(path.relative_to(root)): path.read_text()
        for path in (root / MODELS).glob(f"*/*/{GENERATED}/*")
        if path.is_file()
    }
    found = dict.fromkeys(existing) | wanted
    return {path: content for path, content in sorted(found.items()) if existing.get(path) != content}


def write_generated(root: Path, pages: Pages) -> list[str]:
    """Write the generated files; return the paths of those that changed. Arguments and errors: see `outdated_files`."""
    changed = outdated_files(root, pages)
    for path, content in changed.items():
        if content is None:
            (root / path).unlink()
            continue
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(root / path) as new:
            new.write_text(content)
    for folder in (root / MODELS).glob(f"*/*/{GENERATED}"):
        if not any(folder.iterdir()):
            folder.rmdir()
    return list(changed)
