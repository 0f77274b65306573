"""The places of a domain in the project: its own files and folders, and its entries in files that all domains share."""

import re
from pathlib import Path

from settings import PLATFORM

PROJECT_YML = "dbt_project/dbt_project.yml"
SELECTORS_YML = "dbt_project/selectors.yml"
README = "README.md"
_DOMAINS = "<<: &domains"
_NO_DOMAINS = "<<: &domains {}"
# The pipelines that the project comes with.
SAMPLE_DOMAINS = ("collisions", "ecommerce", "news", "sales", "taxi")
LAYERS = ("clean", "curated", "marts")


def own_paths(domain: str, root: Path) -> list[Path]:
    """Return the files and folders that belong to a domain alone, whether they exist or not."""
    return [
        *_sources(domain, root),
        root / "ingestion" / "sources" / f"{domain}.yml",
        root / "dags" / f"{domain}.py",
        *(root / "dbt_project" / "models" / layer / domain for layer in LAYERS),
        *(root / "dbt_project" / folder / domain for folder in ("macros", "seeds", "tests")),
        root / "dashboard" / "views" / f"{domain}.py",
        *_queries(domain, root),
        root / "docs" / f"{domain}.md",
    ]


def is_domain(domain: str, root: Path) -> bool:
    """Whether there is a domain of this name: a source has it, or models are selected by it."""
    entries = [has_entry(path, (root / path).read_text(), domain) for path in (PROJECT_YML, SELECTORS_YML)]
    return any(entries) or any(map(Path.exists, _sources(domain, root)))


def _queries(domain: str, root: Path) -> list[Path]:
    """Return the saved queries that read a domain."""
    read = re.compile(rf"\b(from|join)\s+{re.escape(domain)}\.", re.IGNORECASE)
    queries = sorted((root / "dashboard" / "queries").glob("*.sql"))
    return [path for path in queries if read.search(path.read_text())]


def _sources(domain: str, root: Path) -> list[Path]:
    """Return the modules that declare sources of a domain, and the one that has its name."""
    folder = root / "ingestion" / "sources"
    declared = re.compile(rf"""^    domain=["']{re.escape(domain)}["'],$""", re.MULTILINE)
    found = sorted(path for path in folder.glob("*.py") if declared.search(path.read_text()))
    return list(dict.fromkeys([folder / f"{domain}.py", *found]))


def model_names(root: Path) -> set[str]:
    """Return the names of all models and seeds."""
    models = (root / "dbt_project" / "models").rglob("*.sql")
    seeds = (root / "dbt_project" / "seeds").rglob("*.csv")
    return {path.stem for path in [*models, *seeds]}


def with_entry(path: str, text: str, domain: str) -> str:
    """Return the text of one of the two YAML files with the domain's entry, in alphabetical order."""
    text = text.replace(f"{_NO_DOMAINS}\n", f"{_DOMAINS}\n") if path == PROJECT_YML else text
    entry, names = _entry(path, domain), _names(path, text)
    following = [start for name, start, _ in names if name > domain]
    if following or names:
        place = following[0] if following else names[-1][2]
    else:
        before = f"{_DOMAINS}\n" if path == PROJECT_YML else "selectors:\n"
        place = text.index(before) + len(before)
    return text[:place] + entry + text[place:]


def without_entry(path: str, text: str, domain: str) -> str:
    """Return the text of a file that all domains share without the domain's entry; of the README, without its rows."""
    if path == README:
        rows = text.splitlines(keepends=True)
        return "".join(row for row in rows if not _is_row(row, domain))
    for name, start, end in _names(path, text):
        if name == domain:
            text = text[:start] + text[end:]
    if path == PROJECT_YML and not _names(path, text):
        # YAML merges an empty mapping, but not nothing.
        text = text.replace(f"{_DOMAINS}\n", f"{_NO_DOMAINS}\n")
    return text


def _is_row(line: str, domain: str) -> bool:
    return line.startswith(f"| `{domain}` |") or (line.startswith("| [") and f"](docs/{domain}.md)" in line)


def has_entry(path: str, text: str, domain: str) -> bool:
    """Whether a file that all domains share has an entry of the domain."""
    if path == README:
        return any(_is_row(line, domain) for line in text.splitlines())
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
