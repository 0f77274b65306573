"""What models cost."""

import csv
from dataclasses import dataclass
from decimal import Decimal

from settings import DBT_PROJECT_DIR, SettingsError

PRICES = DBT_PROJECT_DIR / "seeds" / "news" / "llm_prices.csv"


@dataclass(frozen=True)
class Price:
    """US dollars a million tokens of a model: those that it reads, and those that it writes."""

    input: Decimal
    output: Decimal

    def of(self, input_tokens: int, output_tokens: int) -> Decimal:
        """US dollars for so many tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / 1_000_000


def price_of(model: str) -> Price:
    """What a model costs.

    Raises:
        SettingsError: nobody has said what it costs.
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
