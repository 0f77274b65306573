"""Enriches every article that has no enrichment yet: each text once, several at a time, within the budget.

A text is identified by its hash, so no enrichment is paid for twice. Another provider or model enriches every text
again; another prompt does so only on request. Articles that are not enriched, because the budget is used up or the
model does not respond, wait for the next run.
"""

import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dlt

from ingestion.enrich.budget import Budget
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.enrich.rule_based import RuleBasedProvider
from ingestion.enrich.schema import (
    Article,
    EnrichmentStoppedError,
    InvalidResponseError,
    NoResponseError,
    Provider,
    RequestRejectedError,
)
from ingestion.enrich.settings import EnrichmentSettings
from ingestion.enrich.write_ahead_log import WriteAheadLog
from ingestion.loader.loader import Loader
from ingestion.loader.tables import enrichments, llm_usage
from ingestion.results import LoadResult, Status
from ingestion.retry_policy import RetryPolicy
from settings import Settings
from warehouse import Warehouse, connect

# The run stops after this many articles without a response.
MAX_NO_RESPONSE = 5
# If the API rejects this many articles and accepts none, the texts are not the cause, and the run stops.
MAX_REJECTED = 5
# The staging model of the articles (dbt) computes the same hash.
CONTENT = "coalesce(title, '') || chr(10) || coalesce(description, '') || chr(10) || coalesce(content, '')"
DEFAULT_POLICY = RetryPolicy(timeout=60.0, attempts=5)


def enrich(
    resource: EnrichmentResource,
    settings: Settings,
    *,
    limit: int | None = None,
    refresh: bool = False,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> LoadResult:
    """Enrich the articles that are not enriched yet; safe to repeat at any time.

    Args:
        resource: the articles, and the provider.
        settings: data folder and environment.
        limit: enrich at most this many texts, the latest first.
        refresh: enrich those again whose enrichment came from another prompt or failed.
        policy: when to retry a call.

    Returns:
        The result: `partial`, with the reason, if some texts failed or wait for the next run.

    Raises:
        SettingsError: a setting of the provider is missing or invalid.
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    chosen = resource.settings()
    with _open_log(resource, settings) as log:
        with _open_tables(resource, settings, log) as tables:
            provider = _provider(chosen, tables.spent_today(), log, policy)
            waiting = tables.waiting(provider, limit, refresh)
            if provider.name != RuleBasedProvider.name:
                tables.log_cache_hits(provider, log)
        # Other processes may use the warehouse during the calls.
        work = _Work(provider, log)
        with ThreadPoolExecutor(chosen.concurrency) as threads:
            list(threads.map(work.enrich, waiting))
        with _open_tables(resource, settings, log):
            pass  # which writes the log into them
    return work.result(resource.entity, len(waiting))


def count_waiting(resource: EnrichmentResource, settings: Settings) -> int:
    """Count the texts that wait to be enriched by the configured provider.

    Raises:
        SettingsError, WarehouseBusyError: see `enrich`.
    """
    with _open_log(resource, settings) as log, _open_tables(resource, settings, log) as tables:
        provider = _provider(resource.settings(), Decimal(0), log, DEFAULT_POLICY)
        return len(tables.waiting(provider, None, False))


def _open_log(resource: EnrichmentResource, settings: Settings) -> AbstractContextManager[WriteAheadLog]:
    name = f"{settings.warehouse_name}_{resource.domain}_enrichments.jsonl"
    return WriteAheadLog.open(settings.dlt_dir / name)


@dataclass
class _Work:
    """Enriches articles in several threads, and counts the results."""

    provider: Provider
    log: WriteAheadLog
    enriched: int = 0
    failed: int = 0
    without_response: int = 0
    stopped: str = ""
    # Rejected before any article was enriched: the request may be wrong for all of them.
    rejected: list[tuple[Article, str]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def enrich(self, article: Article) -> None:
        """Enrich one article, unless the run has stopped."""
        if self.stopped:
            return
        try:
            enrichment = self.provider.enrich(article)
        except EnrichmentStoppedError as error:
            self._stop(str(error))
        except NoResponseError as error:
            with self._lock:
                self.without_response += 1
                if self.without_response >= MAX_NO_RESPONSE:
                    self._stop(f"the model does not respond: {error}")
        except RequestRejectedError as error:
            with self._lock:
                self.rejected.append((article, str(error)))
                if self.enriched:
                    self._fail_rejected()
                elif len(self.rejected) >= MAX_REJECTED:
                    self._stop(f"{error} for each of the first {len(self.rejected)} articles")
        except InvalidResponseError as error:
            self._fail(article, str(error))
        else:
            values = enrichment.model_dump()
            values["entities"] = json.dumps(enrichment.entities, ensure_ascii=False)
            self._record(article, "enriched", values)
            with self._lock:
                self.enriched += 1
                self._fail_rejected()

    def result(self, entity: str, waiting: int) -> LoadResult:
        """Return the result of the run, which began with `waiting` articles."""
        left = waiting - self.enriched - self.failed
        reasons = [f"{self.failed} articles could not be enriched"] if self.failed else []
        if left:
            causes = [f"{self.without_response} calls without a response"] if self.without_response else []
            causes += [f"{reason}, and no other article was enriched" for _, reason in self.rejected[:1]]
            reasons.append(f"{left} articles left for the next run: {self.stopped or '; '.join(causes)}")
        status: Status = "partial" if reasons else "loaded" if waiting else "skipped"
        reason = "; ".join(reasons) or None
        return LoadResult(entity, entity, status, waiting, self.enriched, self.failed, reason=reason)

    def _stop(self, reason: str) -> None:
        with self._lock:
            self.stopped = self.stopped or reason

    def _fail_rejected(self) -> None:
        """Fail the articles that the API rejected: since it accepts others, their texts are the cause."""
        while self.rejected:
            self._fail(*self.rejected.pop())

    def _fail(self, article: Article, reason: str) -> None:
        self._record(article, "enrichment_failed", {"reason": reason})
        with self._lock:
            self.failed += 1

    def _record(self, article: Article, status: str, values: dict[str, Any]) -> None:
        empty = dict.fromkeys(("sentiment", "topic", "summary", "entities", "reason"))
        keys = {
            "content_hash": article.content_hash,
            "provider": self.provider.name,
            "model": self.provider.model,
            "prompt_version": self.provider.prompt_version,
            "enriched_at": datetime.now(UTC).isoformat(),
            "status": status,
        }
        self.log.add_enrichment(keys | empty | values)


@contextmanager
def _open_tables(resource: EnrichmentResource, settings: Settings, log: WriteAheadLog) -> Iterator["_Tables"]:
    """Open the raw tables for writing, with everything in them that is in the log, also from a killed run."""
    with connect(settings, resource.domain) as warehouse:
        tables = _Tables(resource, settings, warehouse)
        tables.load(log)
        yield tables


class _Tables:
    """The raw tables of articles, enrichments and calls."""

    def __init__(self, resource: EnrichmentResource, settings: Settings, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._content_hash = warehouse.sha256(CONTENT)
        self._loader = Loader(resource.articles, settings, warehouse)
        self._schema = self._loader.schema
        self._articles = f"{self._schema}.{resource.articles.entity}"
        self._cursor = resource.articles.cursor
        empty = dlt.mark.materialize_table_schema()
        self._loader.create_tables(enrichments([empty]), llm_usage([empty]))

    def load(self, log: WriteAheadLog) -> None:
        """Load the contents of the log."""
        calls, results = log.read()
        if calls or results:
            self._loader.run(enrichments(results), llm_usage(calls))
        log.clear()

    def spent_today(self) -> Decimal:
        """Return the cost of the calls of this day (UTC), in US dollars."""
        found = self._warehouse.execute(
            f"select coalesce(sum(cost_usd), 0) from {self._schema}.llm_usage where extract(epoch from called_at) >= ?",
            [_midnight().timestamp()],
        )
        return Decimal(found.fetchall()[0][0])

    def waiting(self, provider: Provider, limit: int | None, refresh: bool) -> list[Article]:
        """Return the texts that this provider has not enriched, the latest first."""
        found = self._warehouse.execute(
            f"""
            with texts as (
                select
                    {self._content_hash} as content_hash,
                    max(coalesce(title, '')) as title,
                    max(coalesce(description, '')) as description,
                    max(coalesce(content, '')) as content,
                    max({self._cursor}) as latest
                from {self._articles}
                where trim(concat(title, description, content)) <> ''
                group by 1
            )
            select content_hash, title, description, content from texts
            where content_hash not in (
                select content_hash from {self._schema}.enrichments
                where provider = $provider and model = $model
                    and (not $refresh or (prompt_version = $version and status = 'enriched'))
            )
            order by latest desc nulls last, content_hash
            limit $limit
            """,
            _keys(provider)
            | {"version": provider.prompt_version, "refresh": refresh, "limit": limit or 2**62},
        )
        return [Article(*row) for row in found.fetchall()]

    def log_cache_hits(self, provider: Provider, log: WriteAheadLog) -> None:
        """Record how many articles have a text that was enriched before, and what those enrichments cost."""
        ((hits, saved),) = self._warehouse.execute(
            f"""
            with enriched as (
                select distinct content_hash from {self._schema}.enrichments
                where provider = $provider and model = $model and status = 'enriched'
            ),
            texts as (select {self._content_hash} as content_hash from {self._articles}),
            hits as (select content_hash from texts where content_hash in (select content_hash from enriched)),
            costs as (
                select content_hash, sum(cost_usd) as cost_usd from {self._schema}.llm_usage
                where provider = $provider and model = $model and outcome = 'succeeded'
                group by content_hash
            )
            select count(*), coalesce(sum(cost_usd), 0) from hits left join costs using (content_hash)
            """,
            _keys(provider),
        ).fetchall()
        if hits:
            call = {
                "call_id": uuid.uuid4().hex,
                "called_at": datetime.now(UTC).isoformat(),
                "prompt_version": provider.prompt_version,
                "content_hash": None,
                "outcome": "cached",
                "input_tokens": 0,
                "output_tokens": 0,
                "cost_usd": "0",
                "cache_hits": hits,
                "saved_usd": str(saved),
            }
            log.add_call(_keys(provider) | call)


def _keys(provider: Provider) -> dict[str, Any]:
    return {"provider": provider.name, "model": provider.model}


def _provider(
    settings: EnrichmentSettings, spent_today: Decimal, log: WriteAheadLog, policy: RetryPolicy
) -> Provider:
    if settings.provider == RuleBasedProvider.name:
        return RuleBasedProvider()
    # Imported here, because the client is slow to import.
    from ingestion.enrich.openai_provider import OpenAiProvider

    return OpenAiProvider(settings, Budget(settings, spent_today, log), policy)


def _midnight() -> datetime:
    """Return the beginning of this day, UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
