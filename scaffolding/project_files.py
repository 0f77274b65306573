"""The places of a domain in the project: its own files and folders, and its entries in two YAML files."""

import re
from pathlib import Path

from settings import PLATFORM

PROJECT_YML = "dbt_project/dbt_project.yml"
SELECTORS_YML = "dbt_project/selectors.yml"
LAYERS = ("clean", "curated", "marts")


def own_paths(domain: str, root: Path) -> list[Path]:
    """Return the files and folders that belong to a domain alone, whether they exist or not."""
    return [
        root / "ingestion" / "sources" / f"{domain}.py",
        root / "dags" / f"{domain}.py",
        *(root / "dbt_project" / "models" / layer / domain for layer in LAYERS),
        root / "dbt_project" / "tests" / domain,
        root / "dbt_project" / "seeds" / domain,
    ]


def model_names(root: Path) -> set[str]:
    """Return the names of all models and seeds."""
    models = (root / "dbt_project" / "models").rglob("*.sql")
    seeds = (root / "dbt_project" / "seeds").rglob("*.csv")
    return {path.stem for path in [*models, *seeds]}


def with_entry(path: str, text: str, domain: str) -> str:
    """Return the text of one of the two YAML files with the domain's entry, in alphabetical order."""
    entry, names = _entry(path, domain), _names(path, text)
    if not names:
        raise ValueError(f"{path} has no entry of a domain after which another one could be written")
    following = [start for name, start, _ in names if name > domain]
    place = following[0] if following else names[-1][2]
    return text[:place] + entry + text[place:]


def without_entry(path: str, text: str, domain: str) -> str:
    """Return the text of one of the two YAML files without the domain's entry."""
    for name, start, end in _names(path, text):
        if name == domain:
            return text[:start] + text[end:]
    return text


def has_entry(path: str, text: str, domain: str) -> bool:
    """Whether one of the two YAML files has an entry of the domain."""
    return any(name == domain for name, _, _ in _names(path, text))


def _entry(path: str, domain: str) -> str:
    if path == PROJECT_YML:
        return f"        {domain}: {{+tags: [{domain}], +group: {domain}}}\n"
    return (
        f"  - name: {domain}\n"
        "    definition:\n"
        "      union:\n"
        f"        - {{method: tag, value: {domain}, indirect_selection: eager}}\n"
        "        - {method: tag, value: shared}\n"
    )


def _names(path: str, text: str) -> list[tuple[str, int, int]]:
    """Return the domains of a file, with where the entry of each begins and ends."""
    if path == PROJECT_YML:
        block = re.search(r"^( *)<<: &domains\n((?:\1  .*\n)+)", text, re.MULTILINE)
        if not block:
            return []
        lines = re.finditer(r"^ +(\w+): .*\n", block[2], re.MULTILINE)
        return [(line[1], block.start(2) + line.start(), block.start(2) + line.end()) for line in lines]
    found = re.finditer(r"^  - name: (\w+)\n(?:(?:    .*)?\n)*", text, re.MULTILINE)
    return [(each[1], each.start(), each.end()) for each in found if each[1] not in PLATFORM]
