"""Which marts a page reads, from the code of the page: each of its queries names them as `marts.<name>`.

The pages that show any table (Explore, SQL) read none by name.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from settings import PLATFORM
from transformation.exposures import Exposure, audit_marts

VIEWS = Path(__file__).parent / "views"
# A name, or the placeholder of a page for any domain, see `audit_marts`.
_MART = re.compile(r"\bmarts\.(\w+|\{(\w+)\})")


def pages_of(domain: str, marts: Sequence[str]) -> list[Exposure]:
    """Return the pages that read some of a domain's marts, each with those.

    The pages are parsed and not imported, which would take seconds.
    """
    return list(_pages(domain, set(marts)))


def _pages(domain: str, marts: set[str]) -> Iterator[Exposure]:
    for path in sorted(VIEWS.glob("[!_]*.py")):
        source = path.read_text()
        read = marts & set(_names(source, domain))
        if read:
            own = path.stem == domain
            module = ast.parse(source)
            title = _title(module)
            yield Exposure(
                f"page_{domain}" if own else f"page_{path.stem}_{domain}",
                f"Page {title}" if own else f"Page {title}: {domain}",
                "dashboard",
                (ast.get_docstring(module) or "").splitlines()[0],
                tuple(sorted(read)),
            )


def _names(source: str, domain: str) -> Iterator[str]:
    audits = {} if domain in PLATFORM else audit_marts(domain)
    for name, placeholder in _MART.findall(source):
        yield audits.get(placeholder, "") if placeholder else name


def _title(module: ast.Module) -> str:
    """Return the value of `TITLE`, which is assigned alone or as the first of several names."""
    for node in module.body:
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if isinstance(names[0], ast.Name) and names[0].id == "TITLE":
                value = node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value
                return ast.literal_eval(value)
    raise ValueError("a page has no TITLE")
