"""Keeps calls within their budget: the most that a call may cost is set aside before it is made."""

import threading
import uuid
from datetime import datetime
from decimal import Decimal

from ingestion.enrich.schema import StopError
from ingestion.enrich.settings import EnrichmentSettings
from ingestion.enrich.write_ahead_log import WriteAheadLog


class Budget:
    """What the budgets of the run and of the day still allow, in US dollars. Several threads may use it.

    Args:
        chosen: the budgets.
        spent_today: what the calls of earlier runs on this day (UTC) have cost.
        journal: where each call is noted, before it is made and after.
    """

    def __init__(self, chosen: EnrichmentSettings, spent_today: Decimal, journal: WriteAheadLog) -> None:
        self._journal = journal
        self._left = {
            f"the budget of {chosen.budget_run} USD a run (SLUICE_ENRICH_BUDGET_RUN)": chosen.budget_run,
            f"the budget of {chosen.budget_day} USD a day (SLUICE_ENRICH_BUDGET_DAY)": chosen.budget_day
            - spent_today,
        }
        self._under_way = 0
        self._changed = threading.Condition()

    def begin(self, most: Decimal, called_at: datetime, **call: str) -> dict:
        """Set the most that a call may cost aside; returns the call, for `end`.

        Raises:
            StopError: the budget does not allow it; the call must not be made.
        """
        with self._changed:
            while short := next((budget for budget, left in self._left.items() if left < most), None):
                if not self._under_way:
                    raise StopError(f"{short} is reached")
                # Calls under way cost less than was set aside for them and may leave enough.
                self._changed.wait()
            self._under_way += 1
            self._left = {budget: left - most for budget, left in self._left.items()}
        begun = {
            "call_id": uuid.uuid4().hex,
            "called_at": called_at.isoformat(),
            **call,
            "outcome": "unknown",
            "input_tokens": 0,
            "output_tokens": 0,
            "cache_hits": 0,
            "cost_usd": str(most),
            "saved_usd": "0",
        }
        self._journal.note_call(begun)
        return begun

    def end(self, call: dict, outcome: str, cost: Decimal | None, tokens: tuple[int, int] = (0, 0)) -> None:
        """Note the outcome of a call; if its cost is not known, the most that it may cost is counted."""
        most = Decimal(call["cost_usd"])
        spent = most if cost is None else cost
        ended = {
            "outcome": outcome,
            "cost_usd": str(spent),
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
        }
        self._journal.note_call(call | ended)
        with self._changed:
            self._under_way -= 1
            self._left = {budget: left + most - spent for budget, left in self._left.items()}
            self._changed.notify_all()
