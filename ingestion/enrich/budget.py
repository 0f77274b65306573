"""Budgets of calls: the maximum cost of a call is reserved before it is made."""

import threading
import uuid
from datetime import datetime
from decimal import Decimal

from ingestion.enrich.schema import EnrichmentStoppedError
from ingestion.enrich.settings import EnrichmentSettings
from ingestion.enrich.write_ahead_log import WriteAheadLog


class Budget:
    """What is left of the budgets of the run and of the day, in US dollars. Several threads may use it.

    Args:
        settings: the budgets.
        spent_today: the cost of earlier calls on this day (UTC).
        log: records each call before it is made and after.
    """

    def __init__(self, settings: EnrichmentSettings, spent_today: Decimal, log: WriteAheadLog) -> None:
        run, day = settings.budget_run, settings.budget_day
        self._log = log
        self._left = {
            f"the budget of {run} USD per run (SLUICE_ENRICH_BUDGET_RUN)": run,
            f"the budget of {day} USD per day (SLUICE_ENRICH_BUDGET_DAY)": day - spent_today,
        }
        self._open_calls = 0
        self._changed = threading.Condition()

    def begin(self, max_cost: Decimal, called_at: datetime, **call: str) -> dict:
        """Reserve the maximum cost of a call; return the call, for `end`.

        Raises:
            EnrichmentStoppedError: a budget does not allow the call.
        """
        with self._changed:
            while short := next((budget for budget, left in self._left.items() if left < max_cost), None):
                if not self._open_calls:
                    raise EnrichmentStoppedError(f"{short} is reached")
                # Open calls cost less than was reserved for them and may leave enough.
                self._changed.wait()
            self._open_calls += 1
            self._left = {budget: left - max_cost for budget, left in self._left.items()}
        begun = {
            "call_id": uuid.uuid4().hex,
            "called_at": called_at.isoformat(),
            **call,
            "outcome": "unknown",
            "input_tokens": 0,
            "output_tokens": 0,
            "cache_hits": 0,
            "cost_usd": str(max_cost),
            "saved_usd": "0",
        }
        self._log.add_call(begun)
        return begun

    def end(self, call: dict, outcome: str, cost: Decimal | None, tokens: tuple[int, int] = (0, 0)) -> None:
        """Record the outcome of a call; if its cost is not known, the maximum counts."""
        max_cost = Decimal(call["cost_usd"])
        spent = max_cost if cost is None else cost
        usage = {"input_tokens": tokens[0], "output_tokens": tokens[1], "cost_usd": str(spent)}
        self._log.add_call(call | usage | {"outcome": outcome})
        with self._changed:
            self._open_calls -= 1
            self._left = {budget: left + max_cost - spent for budget, left in self._left.items()}
            self._changed.notify_all()
