"""dbt exposures: what reads a domain's marts outside dbt, so that dbt's lineage graph does not end at a mart.

A domain has them in a file beside its marts: what is published, each report, and each page of the dashboard. The file is
generated from the project's files and not from the manifest, because dbt refuses a project whose exposures name a mart
that was renamed.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from common.atomic_write import atomic_write
from settings import DBT_PROJECT_DIR
from transformation.manifest import MARTS, SHARED, failed_rules_mart, row_counts_mart

HEADER = "# Written by `sluice exposures`; a change of a page or a report changes it.\n"


@dataclass(frozen=True)
class Exposure:
    """Something that reads marts.

    Attributes:
        name: its name for dbt, of letters, digits and underscores.
        label: its name for people.
        type: a type that dbt knows, such as `dashboard`.
        description: what it shows.
        marts: the marts that it reads.
    """

    name: str
    label: str
    type: str
    description: str
    marts: tuple[str, ...]


Pages = Callable[[str, Sequence[str]], Sequence[Exposure]]


def exposures_path(domain: str) -> Path:
    """Return the path of a domain's exposures in the dbt project."""
    return Path("models") / MARTS / domain / f"_{domain}__exposures.yml"


def exposures_file(
    domain: str, owner: str, marts: Sequence[str], shared: Sequence[str], others: Sequence[Exposure]
) -> str:
    """Return the content of a domain's file of exposures.

    Args:
        domain: the domain.
        owner: who owns its group.
        marts: its own marts.
        shared: the marts that every domain publishes with its own.
        others: its reports and pages.
    """
    published = Exposure(
        f"published_{domain}",
        f"Published marts of {domain}",
        "application",
        f"The published version of {domain}, as every client of it reads it.",
        (*sorted(marts), *sorted(shared)),
    )
    return HEADER + "exposures:\n" + "\n".join(_yaml(each, owner) for each in (published, *others))


def all_exposures(pages: Pages, project: Path = DBT_PROJECT_DIR) -> dict[Path, str]:
    """Return the content of the file of each domain, by its path in the dbt project.

    Args:
        pages: returns the pages that read some of a domain's marts.
        project: the dbt project.
    """
    marts = {
        folder.name: sorted(path.stem for path in folder.glob("*.sql"))
        for folder in sorted((project / "models" / MARTS).iterdir())
    }
    shared = marts.pop(SHARED)
    found = {}
    for domain, names in marts.items():
        folder = project / exposures_path(domain).parent
        (group,) = yaml.safe_load((folder / f"_{domain}__groups.yml").read_text())["groups"]
        models = yaml.safe_load((folder / f"_{domain}__models.yml").read_text())["models"]
        others = [*_reports(domain, models), *pages(domain, names)]
        found[exposures_path(domain)] = exposures_file(domain, group["owner"]["name"], names, shared, others)
    return found


def write_exposures(pages: Pages, project: Path = DBT_PROJECT_DIR) -> list[Path]:
    """Write the exposures of all domains; return the paths of the files that changed, in the dbt project."""
    changed = []
    for path, content in all_exposures(pages, project).items():
        file = project / path
        if not file.exists() or file.read_text() != content:
            with atomic_write(file) as candidate:
                candidate.write_text(content)
            changed.append(path)
    return changed


def audit_marts(domain: str) -> dict[str, str]:
    """Return the marts that every domain has, by the name that a query for any domain gives them."""
    return {"row_counts": row_counts_mart(domain), "failed_rules": failed_rules_mart(domain)}


def _reports(domain: str, models: list[dict]) -> Iterator[Exposure]:
    for model in models:
        if report := ((model.get("config") or {}).get("meta") or {}).get("report"):
            yield Exposure(
                # A file's name may have a hyphen, a name in dbt may not.
                f"report_{domain}_{report['file'].replace('-', '_')}",
                f"Report {report['file']}",
                "analysis",
                f"{report['file']}.csv: {' '.join(model['description'].split())}",
                (model["name"],),
            )


def _yaml(exposure: Exposure, owner: str) -> str:
    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    return "".join(
        [
            f"  - name: {exposure.name}\n",
            f"    label: {text(exposure.label)}\n",
            f"    type: {exposure.type}\n",
            f"    description: {text(exposure.description)}\n",
            f"    owner: {{name: {text(owner)}}}\n",
            "    depends_on:\n",
            *(f"      - ref('{mart}')\n" for mart in exposure.marts),
        ]
    )
