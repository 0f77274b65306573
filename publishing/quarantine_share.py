"""The share of the rows read that is in quarantine, and its limit."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from publishing.errors import PublishError
from publishing.marts import SCHEMA, Mart
from transformation.manifest import quarantine_model, row_counts_mart
from warehouse import Warehouse

# The limit of a domain whose group does not set one.
QUARANTINE_LIMIT = 0.05
LIMIT_KEY = "quarantine_limit"
MAX_RULES_NAMED = 5


@dataclass(frozen=True)
class QuarantineShare:
    """The rows in quarantine as a share of the rows read, and its limit; both from 0 to 1."""

    rows_quarantined: int
    rows_read: int
    share: float
    limit: float
    is_over: bool = False

    def __str__(self) -> str:
        return (
            f"{self.rows_quarantined:,} of {self.rows_read:,} rows read are in quarantine: {self.share:.2%}"
            f" (limit: {self.limit:.2%})"
        )


def quarantine_limit(domain: str, marts: Mapping[str, Mart], group_meta: Mapping[str, Any]) -> float:
    """Return the limit of a domain, or the default.

    Args:
        domain: the domain.
        marts: its marts.
        group_meta: `config: meta:` of its dbt group, which may set the limit.

    Raises:
        PublishError: there is no accounting mart, or the limit is not a number from 0 to 1.
    """
    accounting = row_counts_mart(domain)
    if accounting not in marts:
        raise PublishError(f"dbt has no mart {accounting}, which counts the rows in quarantine")
    limit = group_meta.get(LIMIT_KEY, QUARANTINE_LIMIT)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= 1:
        raise PublishError(
            f"{LIMIT_KEY} in config.meta of the group {domain} must be a number from 0 to 1, not {limit!r}"
        )
    return float(limit)


def quarantine_share(warehouse: Warehouse, domain: str, limit: float) -> QuarantineShare:
    """Compute the share in quarantine.

    Raises:
        PublishError: the accounting mart has not been built.
    """
    accounting = row_counts_mart(domain)
    sums = "select coalesce(sum(rows_quarantined), 0)::bigint, coalesce(sum(rows_read), 0)::bigint"
    if not warehouse.columns(SCHEMA, accounting):
        raise PublishError(f"{SCHEMA}.{accounting} has not been built")
    ((quarantined, read),) = warehouse.execute(f"{sums} from {SCHEMA}.{accounting}").fetchall()
    share = quarantined / read if read else 0.0
    return QuarantineShare(quarantined, read, share, limit, is_over=share > limit)


def describe_stop(warehouse: Warehouse, domain: str, found: QuarantineShare) -> str:
    """Say which rules most rows fail, and how to see the rows."""
    return (
        f"{found}. Rules that fail most: {_most_failed(warehouse, domain)}. "
        f"To see the rows: sluice quarantine {domain} --export FILE.csv."
    )


def _most_failed(warehouse: Warehouse, domain: str) -> str:
    prefix = quarantine_model(domain, "")
    counts: list[tuple[int, str, str]] = []
    for table in warehouse.tables("clean"):
        if not table.startswith(prefix):
            continue
        rules: Counter[str] = Counter()
        for failed, rows in warehouse.execute(
            f"select _failed_rules, count(*) from clean.{table} group by 1"
        ).fetchall():
            rules.update(dict.fromkeys(failed.split(","), rows))
        counts += [(rows, table.removeprefix(prefix), rule) for rule, rows in rules.items()]
    counts.sort(key=lambda count: (-count[0], *count[1:]))
    return ", ".join(f"{entity}.{rule} ({rows:,})" for rows, entity, rule in counts[:MAX_RULES_NAMED])
