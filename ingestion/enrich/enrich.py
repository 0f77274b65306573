"""Has every article judged that has no judgement yet: each text once, several at a time, within the budget.

A text is identified by its hash, so no judgement is paid for twice. A different provider or model judges every text
again; a different prompt does so only on request. Articles that are not judged, because the budget is used up or the
model does not answer, wait for the next run.
"""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dlt

from ingestion.api.api_resource import ApiResource
from ingestion.enrich.budget import Budget
from ingestion.enrich.rule_based import RuleBasedProvider
from ingestion.enrich.schema import (
    Article,
    BadAnswerError,
    Provider,
    RefusedError,
    StopError,
    UnansweredError,
)
from ingestion.enrich.settings import EnrichmentSettings
from ingestion.enrich.write_ahead_log import WriteAheadLog
from ingestion.loader.loader import Loader
from ingestion.loader.tables import enrichments, llm_usage
from ingestion.results import LoadResult
from settings import Settings
from warehouse import Warehouse, connect

NAME, ENTITY = "enrichments", "enrichments"
# After this many articles without an answer, the run asks no further.
MOST_UNANSWERED = 5
# If the API refuses this many articles and has judged none, it is not for what they say, and the run asks no further.
MOST_REFUSED = 5
# The typed model of the articles (dbt) computes the same hash.
CONTENT = "coalesce(title, '') || chr(10) || coalesce(description, '') || chr(10) || coalesce(content, '')"


def enrich(
    articles: ApiResource,
    settings: Settings,
    *,
    limit: int | None = None,
    anew: bool = False,
    **patience: float,
) -> LoadResult:
    """Judge the articles that are not judged yet; safe to repeat at any time.

    Args:
        articles: the endpoint whose articles are judged.
        settings: which data folder and environment; which provider judges, and what that may cost.
        limit: judge at most this many texts, the latest first; all if not given.
        anew: judge those again whose judgement came from another prompt or failed.
        patience: `timeout`, `tries` and `first_wait` of `OpenAiProvider`.

    Returns:
        What was done: `partial`, with the reason, if some texts failed or still wait for a judgement.

    Raises:
        SettingsError: the provider cannot be used as it is set up.
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    chosen = EnrichmentSettings()
    with _journal(articles, settings) as journal:
        with connect(settings, articles.domain) as warehouse:
            tables = _Tables(articles, settings, warehouse)
            tables.absorb(journal)
            provider = _provider(chosen, tables.spent_today(), journal, patience)
            waiting = tables.waiting(provider, limit, anew)
            if provider.name != RuleBasedProvider.name:
                tables.note_cached(provider, journal)
        # Other processes may use the warehouse while models are asked.
        work = _Work(provider, journal)
        with ThreadPoolExecutor(chosen.concurrency) as threads:
            list(threads.map(work.judge, waiting))
        with connect(settings, articles.domain) as warehouse:
            _Tables(articles, settings, warehouse).absorb(journal)
    return work.result(len(waiting))


def waiting_articles(articles: ApiResource, settings: Settings) -> int:
    """Count the texts that wait to be judged by the configured provider.

    Raises:
        SettingsError, WarehouseBusyError: see `enrich`.
    """
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    with _journal(articles, settings) as journal, connect(settings, articles.domain) as warehouse:
        tables = _Tables(articles, settings, warehouse)
        tables.absorb(journal)
        return len(tables.waiting(_provider(EnrichmentSettings(), Decimal(0), journal, {}), None, False))


def _journal(articles: ApiResource, settings: Settings) -> AbstractContextManager[WriteAheadLog]:
    return WriteAheadLog.open(
        settings.dlt_dir / f"{settings.warehouse_name}_{articles.domain}_enrichments.jsonl"
    )


@dataclass
class _Work:
    """The work of several threads that judge articles, and its counts."""

    provider: Provider
    journal: WriteAheadLog
    judged: int = 0
    failed: int = 0
    unanswered: int = 0
    stopped: str = ""
    # Refused before any article was judged: the request may be wrong for all of them.
    refused: list[tuple[Article, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, article: Article) -> None:
        """Judge one article, unless no further one can be judged."""
        if self.stopped:
            return
        try:
            judgement = self.provider.judge(article)
        except StopError as error:
            self.stopped = self.stopped or str(error)
            return
        except UnansweredError as error:
            with self._lock:
                self.unanswered += 1
                if self.unanswered >= MOST_UNANSWERED:
                    self.stopped = self.stopped or f"the model does not answer: {error}"
            return
        except RefusedError as error:
            with self._lock:
                self.refused.append((article, str(error)))
                if self.judged:
                    self._mark_refused()
                elif len(self.refused) >= MOST_REFUSED:
                    self.stopped = (
                        self.stopped or f"{error} for each of the first {len(self.refused)} articles"
                    )
            return
        except BadAnswerError as error:
            with self._lock:
                self._fail(article, str(error))
            return
        made = judgement.model_dump() | {"entities": json.dumps(judgement.entities, ensure_ascii=False)}
        self._note(article, made | {"status": "enriched", "reason": None})
        with self._lock:
            self.judged += 1
            self._mark_refused()

    def _mark_refused(self) -> None:
        """Mark the articles that the API has refused; since it judges others, it is for what they say."""
        while self.refused:
            self._fail(*self.refused.pop())

    def _fail(self, article: Article, reason: str) -> None:
        self._note(article, {"status": "enrichment_failed", "reason": reason})
        self.failed += 1

    def result(self, waiting: int) -> LoadResult:
        """The result of the run, of which `waiting` articles were to be judged."""
        left = waiting - self.judged - self.failed
        reasons = []
        if self.failed:
            reasons.append(f"{self.failed} articles had no usable answer and stand without")
        if left:
            why = self.stopped or "; ".join(
                filter(
                    None,
                    (
                        self.unanswered and f"{self.unanswered} times there was no answer",
                        self.refused and f"{self.refused[0][1]}, and no other article was judged",
                    ),
                )
            )
            reasons.append(f"{left} articles wait for the next run: {why}")
        status = "partial" if reasons else "loaded" if waiting else "skipped"
        return LoadResult(
            NAME, ENTITY, status, waiting, self.judged, self.failed, reason="; ".join(reasons) or None
        )

    def _note(self, article: Article, made: dict[str, Any]) -> None:
        empty = dict.fromkeys(("sentiment", "topic", "summary", "entities"))
        self.journal.note_enrichment(
            {
                "content_hash": article.content_hash,
                "provider": self.provider.name,
                "model": self.provider.model,
                "prompt_version": self.provider.prompt_version,
                "enriched_at": datetime.now(UTC).isoformat(),
            }
            | empty
            | made
        )


class _Tables:
    """The raw tables of articles, judgements and calls, held open for writing."""

    def __init__(self, articles: ApiResource, settings: Settings, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._content_hash = warehouse.sha256(CONTENT)
        self._loader = Loader(articles, settings, warehouse)
        self._schema = self._loader.schema
        self._articles = f"{self._schema}.{articles.entity}"
        self._latest = articles.cursor
        empty = dlt.mark.materialize_table_schema()
        self._loader.create_tables(enrichments([empty]), llm_usage([empty]))

    def absorb(self, journal: WriteAheadLog) -> None:
        """Bring the contents of the journal into the tables, including what a killed run left there."""
        calls, made = journal.contents()
        if calls or made:
            self._loader.run(enrichments(made), llm_usage(calls))
        journal.clear()

    def spent_today(self) -> Decimal:
        """What the calls of this day (UTC) have cost, in US dollars."""
        found = self._warehouse.execute(
            f"select coalesce(sum(cost_usd), 0) from {self._schema}.llm_usage where extract(epoch from called_at) >= ?",
            [_midnight().timestamp()],
        )
        return Decimal(found.fetchone()[0])

    def waiting(self, provider: Provider, limit: int | None, anew: bool) -> list[Article]:
        """The texts that this provider is to judge, the latest first."""
        found = self._warehouse.execute(
            f"""
            with texts as (
                select
                    {self._content_hash} as content_hash,
                    max(coalesce(title, '')) as title,
                    max(coalesce(description, '')) as description,
                    max(coalesce(content, '')) as content,
                    max({self._latest}) as latest
                from {self._articles}
                where trim(concat(title, description, content)) <> ''
                group by 1
            )
            select content_hash, title, description, content from texts
            where content_hash not in (
                select content_hash from {self._schema}.enrichments
                where provider = $provider and model = $model
                    and (not $anew or (prompt_version = $version and status = 'enriched'))
            )
            order by latest desc nulls last, content_hash
            limit $most
            """,
            self._of(provider)
            | {"version": provider.prompt_version, "anew": anew, "most": limit if limit else 2**62},
        )
        return [Article(*row) for row in found.fetchall()]

    def note_cached(self, provider: Provider, journal: WriteAheadLog) -> None:
        """Note how many articles have a text that was judged before, and what those judgements cost."""
        hits, saved = self._warehouse.execute(
            f"""
            with judged as (
                select distinct content_hash from {self._schema}.enrichments
                where provider = $provider and model = $model and status = 'enriched'
            ),
            texts as (select {self._content_hash} as content_hash from {self._articles}),
            hits as (select content_hash from texts where content_hash in (select content_hash from judged)),
            costs as (
                select content_hash, sum(cost_usd) as cost_usd from {self._schema}.llm_usage
                where provider = $provider and model = $model and outcome = 'answered'
                group by content_hash
            )
            select count(*), coalesce(sum(cost_usd), 0) from hits left join costs using (content_hash)
            """,
            self._of(provider),
        ).fetchone()
        if hits:
            journal.note_call(
                self._of(provider)
                | {
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
            )

    @staticmethod
    def _of(provider: Provider) -> dict[str, Any]:
        return {"provider": provider.name, "model": provider.model}


def _provider(
    chosen: EnrichmentSettings, spent_today: Decimal, journal: WriteAheadLog, patience: dict[str, float]
) -> Provider:
    if chosen.provider == RuleBasedProvider.name:
        return RuleBasedProvider()
    # Imported only for a run that asks a model, because the import is slow.
    from ingestion.enrich.openai_provider import OpenAiProvider

    return OpenAiProvider(chosen, Budget(chosen, spent_today, journal), **patience)


def _midnight() -> datetime:
    """The beginning of this day, UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
