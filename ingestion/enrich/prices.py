"""Prices of models, from the seed `llm_prices`."""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from settings import DBT_PROJECT_DIR, SettingsError

PRICES = DBT_PROJECT_DIR / "seeds" / "news" / "llm_prices.csv"


@dataclass(frozen=True)
class Price:
    """The price of a model in US dollars per million input tokens, and per million output tokens."""

    input: Decimal
    output: Decimal

    def of(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Return the cost of these numbers of tokens, in US dollars."""
        return (self.input * input_tokens + self.output * output_tokens) / 1_000_000


@dataclass(frozen=True)
class PriceList:
    """The prices of one model, each with the first day (UTC) on which it is valid; the latest first."""

    model: str
    prices: tuple[tuple[date, Price], ...]

    def on(self, day: date) -> Price:
        """Return the price on a day.

        Raises:
            SettingsError: the list has no price for that day.
        """
        for valid_from, price in self.prices:
            if valid_from <= day:
                return price
        raise SettingsError(f"{PRICES.name} has no price of {self.model} for {day}, only later ones")


def prices_of(model: str) -> PriceList:
    """Return the prices of a model.

    Raises:
        SettingsError: the list has no price of it, or an invalid row.
    """
    with PRICES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    own = [row for row in rows if row["model"] == model]
    if not own:
        known = ", ".join(dict.fromkeys(row["model"] for row in rows))
        raise SettingsError(f"SLUICE_ENRICH_MODEL: {PRICES.name} has no price of {model}; it has {known}")
    try:
        prices = {date.fromisoformat(row["valid_from"]): _price(row) for row in own}
    except (ValueError, ArithmeticError) as error:
        raise SettingsError(f"{PRICES.name} has an invalid row for {model}: {error}") from error
    return PriceList(model, tuple(sorted(prices.items(), key=lambda each: each[0], reverse=True)))


def _price(row: dict[str, str]) -> Price:
    return Price(Decimal(row["input_usd_per_million"]), Decimal(row["output_usd_per_million"]))
