"""The prices of models."""

import csv
from dataclasses import dataclass
from decimal import Decimal

from settings import DBT_PROJECT_DIR, SettingsError

PRICES = DBT_PROJECT_DIR / "seeds" / "news" / "llm_prices.csv"


@dataclass(frozen=True)
class Price:
    """A model's price in US dollars for a million tokens that it reads, and for a million that it writes."""

    input: Decimal
    output: Decimal

    def of(self, input_tokens: int, output_tokens: int) -> Decimal:
        """The cost of these numbers of tokens, in US dollars."""
        return (self.input * input_tokens + self.output * output_tokens) / 1_000_000


def price_of(model: str) -> Price:
    """Look up the price of a model.

    Raises:
        SettingsError: the list has no price of it.
    """
    with PRICES.open(newline="") as file:
        prices = {
            row["model"]: Price(Decimal(row["input_usd_per_million"]), Decimal(row["output_usd_per_million"]))
            for row in csv.DictReader(file)
        }
    if model not in prices:
        raise SettingsError(
            f"SLUICE_ENRICH_MODEL is {model}, and {PRICES.name} has no price of it; it has {', '.join(prices)}"
        )
    return prices[model]
