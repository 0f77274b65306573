"""Leaves out test modules that need a sample domain which was removed from the project (`sluice remove --samples`).

A module needs a domain if it names it: itself, in a `conftest.py` above it, or in a module of `tests` that it imports. A
`conftest.py` whose fixtures call `needs` is not counted.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from scaffolding.project_files import SAMPLE_DOMAINS, is_domain
from settings import PROJECT_DIR

TESTS = PROJECT_DIR / "tests"
_IMPORTED = re.compile(r"^ *from (tests[\w.]*) import (.*)", re.MULTILINE)
# Also as a part of `raw_taxi`.
_NAMED = re.compile(rf"(?<![a-z])({'|'.join(SAMPLE_DOMAINS)})(?![a-z])")


@cache
def removed() -> frozenset[str]:
    """Return the sample domains that are not in the project."""
    return frozenset(name for name in SAMPLE_DOMAINS if not is_domain(name, PROJECT_DIR))


def needs(*domains: str) -> None:
    """Skip the test that asks for a fixture, if one of these sample domains was removed."""
    if missing := sorted(removed() & {*domains}):
        pytest.skip(f"needs {', '.join(missing)}, which is not in this project")


def needed(module: Path) -> frozenset[str]:
    """Return the removed sample domains that a test module needs."""
    above = [folder / "conftest.py" for folder in module.parents if TESTS in folder.parents]
    named: set[str] = set()
    for path in (module, *above):
        named |= _named(path)
    return removed() & named


@cache
def _named(path: Path, depth: int = 3) -> frozenset[str]:
    """Return the sample domains that a module names, or a module of `tests` that it imports."""
    if not path.is_file() or path == Path(__file__):
        return frozenset()
    text = path.read_text()
    if path.name == "conftest.py" and "import needs" in text:
        return frozenset()
    found = {*_NAMED.findall(text)}
    for package, names in _IMPORTED.findall(text) if depth else ():
        folder = PROJECT_DIR.joinpath(*package.split("."))
        for imported in (
            folder.with_suffix(".py"),
            *(folder / f"{name.strip('( ,')}.py" for name in names.split(",")),
        ):
            found |= _named(imported, depth - 1)
    return frozenset(found)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out a module or a folder that needs a removed domain, before it or its `conftest.py` is imported."""
    if not removed():
        return None
    if collection_path.is_dir():
        own = collection_path / "conftest.py"
        return True if TESTS in own.parent.parents and needed(own) else None
    is_test = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if is_test and needed(collection_path) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many modules were left out, by what they need."""
    missing = [needed(path) for path in TESTS.rglob("test_*.py")] if removed() else []
    counts = Counter(", ".join(sorted(names)) for names in missing if names)
    for names, count in counts.most_common():
        terminalreporter.line(f"{count:>5} test modules: need {names}, which is not in this project")
