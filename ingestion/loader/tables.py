"""The tables of `raw_<domain>` as dlt resources: their grain, columns and keys."""

from collections.abc import Collection
from typing import Any, Protocol

import dlt
import pyarrow as pa
from dlt.extract import DltResource


class RawTable(Protocol):
    """What a declaration says about its raw table; see `FileResource` and `ApiResource`."""

    @property
    def domain(self) -> str: ...
    @property
    def entity(self) -> str: ...
    @property
    def columns(self) -> Collection[str]: ...
    @property
    def optional(self) -> Collection[str]: ...
    @property
    def partition(self) -> str | None: ...
    @property
    def replaced_by(self) -> str: ...


def completed_loads(schema: str) -> str:
    """Return SQL for the ids of the loads that dlt has completed."""
    return f"select load_id from {schema}._dlt_loads where status = 0"


def raw_rows(resource: RawTable, data: list[Any], *, append: bool) -> DltResource:
    """Rows as delivered. Grain: one row per record of a file or API."""
    columns: dict[str, Any] = {
        # dlt would make a merge key NOT NULL, and rewrite the Parquet file to prove it.
        resource.replaced_by: {"data_type": "text", "merge_key": True, "nullable": True},
        # Added when the file is copied, see the destinations in `warehouse`.
        "_dlt_load_id": {"data_type": "text", "nullable": True},
    }
    # Old rows leave and new ones come in one transaction.
    replace: Any = {"disposition": "merge", "strategy": "delete-insert"}
    return dlt.resource(
        data, name=resource.entity, write_disposition="append" if append else replace, columns=columns
    )


def empty_rows(resource: RawTable) -> pa.Table:
    """Return the rows of a raw table without any; all columns are text but `_source_row`."""
    texts = [
        *resource.columns,
        *resource.optional,
        *(["_partition"] if resource.partition else []),
        "_source_file",
        "_row_id",
        "_corrects_row_id",
    ]
    return pa.schema([*((name, pa.string()) for name in texts), ("_source_row", pa.int64())]).empty_table()


def rejected_lines(data: list[Any]) -> DltResource:
    """Lines that could not be split into columns. Grain: one row per line of a file's content, or `line_count` lines."""
    columns = _typed(
        text=["entity", "source_file", "reason", "line", "_row_id"], bigint=["line_number", "line_count"]
    )
    return dlt.resource(data, name="rejected_lines", write_disposition="append", columns=columns)


def file_loads(data: list[Any]) -> DltResource:
    """The load of each file. Grain: one row per entity, file name, content and delivery."""
    columns = _typed(
        text=[
            "entity",
            "source_file",
            "sha256",
            "content_sha256",
            "status",
            "reason",
            "extra_columns",
            "rows_by_day",
            "unread",
        ],
        bigint=["delivery", "bytes", "rows_read", "rows_loaded", "rows_rejected"],
        timestamp=["loaded_at"],
    )
    key = ("entity", "source_file", "sha256", "delivery")
    return dlt.resource(data, name="file_loads", write_disposition="merge", primary_key=key, columns=columns)


def enrichments(data: list[Any]) -> DltResource:
    """The enrichment of texts. Grain: one row per text (by its hash), provider, model and version of the prompt."""
    key = ("content_hash", "provider", "model", "prompt_version")
    columns = _typed(
        text=[*key, "status", "reason", "topic", "summary", "entities"],
        double=["sentiment"],
        timestamp=["enriched_at"],
    )
    return dlt.resource(data, name="enrichments", write_disposition="merge", primary_key=key, columns=columns)


def llm_usage(data: list[Any]) -> DltResource:
    """Calls of models and their cost in US dollars. Grain: one row per call, and one per run for the cache."""
    columns = _typed(
        text=["call_id", "content_hash", "provider", "model", "prompt_version", "outcome"],
        bigint=["input_tokens", "output_tokens", "cache_hits"],
        decimal=["cost_usd", "saved_usd"],
        timestamp=["called_at"],
    )
    return dlt.resource(
        data, name="llm_usage", write_disposition="merge", primary_key="call_id", columns=columns
    )


def _typed(**names_by_type: list[str]) -> dict[str, Any]:
    return {name: {"data_type": kind} for kind, names in names_by_type.items() for name in names}
