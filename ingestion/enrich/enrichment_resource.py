"""The declaration of the enrichments of texts."""

from dataclasses import dataclass

from ingestion.api.api_resource import ApiResource
from ingestion.enrich.settings import EnrichmentSettings


@dataclass(frozen=True)
class EnrichmentResource:
    """Enrichments of the texts of articles, each text once, in `raw_<domain>.enrichments`.

    Attributes:
        articles: the resource with the texts.
        settings: the provider of the enrichments, and its budgets.
    """

    articles: ApiResource
    settings: type[EnrichmentSettings] = EnrichmentSettings
    entity: str = "enrichments"

    @property
    def name(self) -> str:
        """What a load is asked for by."""
        return self.entity

    @property
    def domain(self) -> str:
        """The pipeline."""
        return self.articles.domain
