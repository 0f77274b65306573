"""The APIs that data comes from, and who judges what comes: where they are, and what opens them."""

import os
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

from settings.environments import SettingsError
from settings.values import amount

# Each API that data comes from, and what the name of the variable with its secret ends in.
APIS = {"products": "TOKEN", "news": "KEY"}


@dataclass(frozen=True)
class Api:
    """Where an API is, without a slash at the end, and the secret that opens it; None for what is not set."""

    url_variable: str
    key_variable: str
    url: str | None = None
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def named(cls, name: str, ending: str = "KEY") -> "Api":
        """An API that is not set, with the names of its variables; that of the secret has this ending."""
        return cls(f"SLUICE_{name.upper()}_API_URL", f"SLUICE_{name.upper()}_API_{ending}")


@dataclass(frozen=True)
class Enrichment:
    """Who judges articles: `local`, or `openai`, a model at an API; and what its calls may cost, in US dollars."""

    provider: str = "local"
    api: Api = field(default_factory=lambda: Api.named("openai"))
    model: str = "gpt-4o-mini"
    concurrency: int = 4
    budget_run: Decimal = Decimal(1)
    budget_day: Decimal = Decimal(5)


def read_apis() -> dict[str, Api]:
    """The APIs of the data, by name."""
    return {name: _api(name, ending) for name, ending in APIS.items()}


def read_enrichment() -> Enrichment:
    """Who judges, by the variables `SLUICE_ENRICH_*`."""
    provider = os.environ.get("SLUICE_ENRICH_PROVIDER") or "local"
    if provider not in ("local", "openai"):
        raise SettingsError(f"SLUICE_ENRICH_PROVIDER must be local or openai, not {provider!r}")
    return Enrichment(
        provider=provider,
        api=_api("openai", "KEY"),
        model=os.environ.get("SLUICE_ENRICH_MODEL") or "gpt-4o-mini",
        concurrency=int(amount("SLUICE_ENRICH_CONCURRENCY", "4", least=1)),
        budget_run=amount("SLUICE_ENRICH_BUDGET_RUN", "1"),
        budget_day=amount("SLUICE_ENRICH_BUDGET_DAY", "5"),
    )


def _api(name: str, ending: str) -> Api:
    api = Api.named(name, ending)
    url, secret = os.environ.get(api.url_variable), os.environ.get(api.key_variable)
    # Neither is repeated in an error: one is a secret, and the other may have one in it.
    if url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", url):
        raise SettingsError(
            f"{api.url_variable} must be a URL that begins with http:// or https://, without user, password and query; "
            f"what opens the API belongs into {api.key_variable}"
        )
    if secret and not re.fullmatch(r"[!-~]+", secret):
        raise SettingsError(f"{api.key_variable} must be one word of printable ASCII characters")
    return replace(api, url=url.rstrip("/") if url else None, secret=secret or None)
