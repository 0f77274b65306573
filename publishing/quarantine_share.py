"""How much of what was read is in quarantine, and how much may be."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from publishing.errors import PublishError
from publishing.marts import SCHEMA, Mart
from warehouse import Warehouse

# Of the rows read, how many may be in quarantine where the domain's accounting mart says nothing.
QUARANTINE_LIMIT = 0.05
LIMIT_KEY = "quarantine_limit"
RULES_NAMED = 5


@dataclass(frozen=True)
class QuarantineShare:
    """How much of what was read is in quarantine, and how much may be (both from 0 to 1), and whether it is more."""

    rows_quarantined: int
    rows_read: int
    share: float
    limit: float
    is_over: bool = False

    def __str__(self) -> str:
        return (
            f"{self.rows_quarantined:,} of {self.rows_read:,} rows read are in quarantine: {self.share:.2%}, "
            f"and the limit is {self.limit:.2%}"
        )


def quarantine_limit(domain: str, marts: Mapping[str, Mart]) -> float:
    """The limit in the YAML of the domain's accounting mart, or else `QUARANTINE_LIMIT`.

    Raises:
        PublishError: there is no accounting mart, or its limit is no number from 0 to 1.
    """
    accounting = _accounting_mart(domain)
    if accounting not in marts:
        raise PublishError(f"there is no mart {accounting}, which says how many rows are in quarantine")
    limit = marts[accounting].meta.get(LIMIT_KEY, QUARANTINE_LIMIT)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= 1:
        raise PublishError(
            f"{LIMIT_KEY} in config.meta of the model {accounting} must be a number from 0 to 1, not {limit!r}"
        )
    return float(limit)


def quarantine_share(warehouse: Warehouse, domain: str, limit: float) -> QuarantineShare:
    """Compare the share in quarantine with its limit.

    Raises:
        PublishError: the accounting mart has not been built.
    """
    accounting = _accounting_mart(domain)
    sums = "select coalesce(sum(rows_quarantined), 0)::bigint, coalesce(sum(rows_read), 0)::bigint"
    if not warehouse.columns(SCHEMA, accounting):
        raise PublishError(f"{SCHEMA}.{accounting} has not been built")
    quarantined, read = warehouse.execute(f"{sums} from {SCHEMA}.{accounting}").fetchone()
    share = quarantined / read if read else 0.0
    return QuarantineShare(quarantined, read, share, limit, is_over=share > limit)


def describe_stop(warehouse: Warehouse, domain: str, found: QuarantineShare) -> str:
    """What to do about too large a share: which rules most rows break, and where the rows are."""
    return (
        f"{found}. Broken most: {_most_broken(warehouse, domain)}. "
        f"To see them: python -m cli.operations quarantine {domain} --export FILE.csv."
    )


def _most_broken(warehouse: Warehouse, domain: str) -> str:
    """The rules that most rows break, with their numbers of rows."""
    prefix = f"quarantine_{domain}__"
    counts: list[tuple[int, str, str]] = []
    for table in warehouse.tables("clean"):
        if not table.startswith(prefix):
            continue
        rules: Counter[str] = Counter()
        for broken, rows in warehouse.execute(
            f"select _failed_rules, count(*) from clean.{table} group by 1"
        ).fetchall():
            rules.update(dict.fromkeys(broken.split(","), rows))
        counts += [(rows, table.removeprefix(prefix), rule) for rule, rows in rules.items()]
    counts.sort(key=lambda count: (-count[0], *count[1:]))
    return ", ".join(f"{entity}.{rule} ({rows:,})" for rows, entity, rule in counts[:RULES_NAMED])


def _accounting_mart(domain: str) -> str:
    return f"audit_{domain}__row_counts"
