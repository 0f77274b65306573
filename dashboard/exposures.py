"""Which marts a page reads, from the code of the page: its queries name them as `marts.<name>`, or name metrics of them.

The pages that show any table (Explore, SQL) read none by name.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from settings import DBT_PROJECT_DIR, PLATFORM
from transformation.exposures import Exposure, audit_marts
from transformation.manifest import MARTS

_REF = re.compile(r"ref\('(\w+)'\)")
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
        own = path.stem == domain
        read = marts & {*_names(source, domain), *(_marts_of_metrics(source, domain) if own else ())}
        if read:
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


def _marts_of_metrics(source: str, domain: str) -> Iterator[str]:
    """Return the marts of the metrics that the page of a domain names."""
    marts = _metric_marts(domain)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from marts.get(node.value, ())


def _metric_marts(domain: str) -> dict[str, set[str]]:
    """Return the marts that the metrics of a domain are computed from, by the metric's name."""
    path = DBT_PROJECT_DIR / "models" / MARTS / domain / f"_{domain}__semantic_models.yml"
    if not path.exists():
        return {}
    content = yaml.safe_load(path.read_text())
    marts = {
        measure["name"]: {_REF.fullmatch(model["model"])[1]}
        for model in content["semantic_models"]
        for measure in model.get("measures", ())
    }
    metrics = {metric["name"]: metric["type_params"] for metric in content["metrics"]}
    found = {name: marts[params["measure"]] for name, params in metrics.items() if "measure" in params}
    ratios = {name: params for name, params in metrics.items() if "numerator" in params}
    return found | {
        name: found[params["numerator"]] | found[params["denominator"]] for name, params in ratios.items()
    }


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
