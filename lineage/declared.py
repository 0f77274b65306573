"""Lineage that is in no SQL: what ingestion reads, and the raw tables that Python fills from other tables.

An edge is declared here and nowhere else, each with its reason.
"""

from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.files.file_resource import FileResource
from ingestion.registry import domains, resources_of
from transformation.manifest import Manifest, row_counts_mart

# Raw tables that every domain has, of all that is loaded.
OF_ALL_FILES = ("file_loads", "rejected_lines")
# The text that a model reads, and so what an enrichment comes from.
TEXT = ("title", "description", "content")
FROM_TEXT = ("content_hash", "topic", "summary", "entities", "sentiment", "status", "reason")
# Columns of the marts of row counts, by the columns of raw_ops that are their sums.
PUBLICATIONS = {
    "rows_read": "rows_read",
    "rows_quarantined": "rows_quarantined",
    "newest_input_at": "loaded_at",
}
DAYS = {
    "day": "loaded_at",
    "rows_in": "rows_read",
    "rows_published": "rows_clean",
    "rows_quarantined": "rows_quarantined",
    "newest_input_at": "loaded_at",
}


def inputs() -> dict[str, tuple[str, ...]]:
    """Return the landing files and APIs that each raw table is loaded from."""
    found: dict[str, set[str]] = {}
    for domain in domains():
        for resource in resources_of(domain):
            if isinstance(resource, EnrichmentResource):
                continue
            kind = "landing" if isinstance(resource, FileResource) else "api"
            for entity in (resource.entity, *OF_ALL_FILES):
                found.setdefault(f"raw_{domain}.{entity}", set()).add(f"{kind}/{domain}/{resource.name}")
    return {table: tuple(sorted(names)) for table, names in found.items()}


def python_edges(manifest: Manifest) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the sources of each column of the raw tables that Python fills from other tables."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for domain in domains():
        for resource in resources_of(domain):
            # `ingestion.enrich` sends the texts of the articles to a provider and stores its answers.
            if isinstance(resource, EnrichmentResource):
                articles = f"raw_{domain}.{resource.articles.entity}"
                text = tuple(f"{articles}.{column}" for column in TEXT)
                found[f"raw_{domain}.{resource.entity}"] = dict.fromkeys(FROM_TEXT, text)
                found[f"raw_{domain}.llm_usage"] = {"content_hash": text}
    # `observability.health.publications` reads what the domains publish.
    counts = [f"marts.{row_counts_mart(domain)}" for domain in manifest.domains if domain in domains()]
    for table, columns in {"publications": PUBLICATIONS, "published_days": DAYS}.items():
        found[f"raw_ops.{table}"] = {
            column: tuple(f"{mart}.{source}" for mart in counts) for column, source in columns.items()
        }
    costs = [each for domain in manifest.domains for each in manifest.costs(domain)]
    found["raw_ops.costs"] = {
        "day": tuple(f"marts.{each.mart}.{each.day}" for each in costs),
        "cost": tuple(f"marts.{each.mart}.{each.usd}" for each in costs),
    }
    return found
