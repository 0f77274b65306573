"""Settings of the enrichment of texts: the provider, its API and its budgets."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, PositiveInt
from pydantic_settings import SettingsConfigDict

from ingestion.api.settings import ApiSettings
from settings.variables import EnvSettings

# Without infinity and exponents, which a budget would not mean.
Dollars = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=9, allow_inf_nan=False)]


class OpenAiSettings(ApiSettings):
    """The API of OpenAI, or of any server with the same interface."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_OPENAI_")


class EnrichmentSettings(EnvSettings):
    """The provider of enrichments, and the most that its calls may cost, in US dollars.

    `local` is rule-based; `openai` calls a model.
    """

    model_config = SettingsConfigDict(env_prefix="SLUICE_ENRICH_")

    provider: Literal["local", "openai"] = "local"
    model: str = "gpt-4o-mini"
    concurrency: PositiveInt = 4
    budget_run: Dollars = Decimal(1)
    # Per day (UTC), over all runs.
    budget_day: Dollars = Decimal(5)

    def apis(self) -> list[ApiSettings]:
        """Return the APIs that an enrichment with these settings calls."""
        return [OpenAiSettings()] if self.provider == "openai" else []
