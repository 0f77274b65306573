"""The tables of `raw_<domain>`: their grain, columns and keys, as dlt resources."""

from collections.abc import Iterable
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from ingestion.files.file_resource import FileResource

# Rows of a file go out and its new ones come in within one transaction.
REPLACE = {"disposition": "merge", "strategy": "delete-insert"}
# A column of each table that its earlier versions had not.
NEWEST_COLUMNS = {"rejected_lines": "_row_id", "file_loads": "sha256"}


def raw_rows(feed: FileResource, data: Iterable[Any], disposition: Any) -> DltResource:
    """Rows of the files as delivered. Grain: one row a record of a file."""
    # A merge key without dlt's NOT NULL, which would have the Parquet file rewritten to prove it.
    key = {feed.replaced_by: {"data_type": "text", "merge_key": True, "nullable": True}}
    return dlt.resource(data, name=feed.entity, write_disposition=disposition, columns=key)


def no_rows(feed: FileResource) -> pa.Table:
    """A feed's raw table without rows; all text but `_source_row`."""
    texts = [
        *feed.columns,
        *feed.optional,
        *(["_partition"] if feed.partition else []),
        "_source_file",
        "_dlt_load_id",
        "_row_id",
        "_corrects_row_id",
    ]
    return pa.schema([*((name, pa.string()) for name in texts), ("_source_row", pa.int64())]).empty_table()


def rejected_lines(data: Iterable[Any]) -> DltResource:
    """Lines that could not be split into columns. Grain: one row a line of a file's content."""
    columns = _typed(text=["entity", "source_file", "reason", "line", "_row_id"], bigint=["line_number"])
    return dlt.resource(data, name="rejected_lines", write_disposition="append", columns=columns)


def file_loads(data: Iterable[Any]) -> DltResource:
    """What became of each file. Grain: one row an entity, a file name and content."""
    columns = _typed(
        text=["entity", "source_file", "sha256", "status", "reason", "extra_columns"],
        bigint=["bytes", "rows_read", "rows_loaded", "rows_rejected"],
        timestamp=["loaded_at"],
    )
    key = ("entity", "source_file", "sha256")
    return dlt.resource(data, name="file_loads", write_disposition="merge", primary_key=key, columns=columns)


def enrichments(data: Iterable[Any]) -> DltResource:
    """What was made of texts. Grain: one row a text (by its hash), a provider, a model and a version of the prompt."""
    key = ("content_hash", "provider", "model", "prompt_version")
    columns = _typed(
        text=[*key, "status", "reason", "topic", "summary", "entities"],
        double=["sentiment"],
        timestamp=["enriched_at"],
    )
    return dlt.resource(data, name="enrichments", write_disposition="merge", primary_key=key, columns=columns)


def llm_usage(data: Iterable[Any]) -> DltResource:
    """What models were asked, and what it cost in US dollars. Grain: one row a call, and one a run for the cache."""
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
