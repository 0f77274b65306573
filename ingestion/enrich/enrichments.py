"""The judgements on the articles of a domain, as an entity of their own."""

from dataclasses import dataclass

from ingestion.api.api_resource import ApiResource
from ingestion.enrich.settings import EnrichmentSettings
from ingestion.results import LoadResult
from settings import Settings


@dataclass(frozen=True)
class Enrichments:
    """Judgements on the texts of articles, in `raw_<domain>.enrichments`, each text once.

    Attributes:
        articles: the endpoint whose articles are judged.
    """

    articles: ApiResource
    settings: type[EnrichmentSettings] = EnrichmentSettings

    entity = "enrichments"

    @property
    def domain(self) -> str:
        """The pipeline."""
        return self.articles.domain

    def load(self, settings: Settings, *, limit: int | None = None, anew: bool = False) -> LoadResult:
        """Judge what has no judgement yet, see `enrich`."""
        # Imported only where articles are judged, because the import is slow.
        from ingestion.enrich.enrich import enrich

        return enrich(self.articles, settings, limit=limit, anew=anew)
