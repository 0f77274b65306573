"""The results of a load: one per file or API entity, and the summary of a domain."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from common.text import printable

# `partial`: the API, or the model, did not give everything. `deferred`: left for a later run.
Status = Literal["loaded", "replaced", "skipped", "partial", "deferred", "failed"]


@dataclass(frozen=True)
class LoadResult:
    """The result of loading one file, or one entity of an API."""

    name: str
    entity: str
    status: Status
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    extra_columns: tuple[str, ...] = ()
    reason: str | None = None
    replaced_days: str | None = None

    def __str__(self) -> str:
        """Return one printable line for a person."""
        detail = f"{self.rows_loaded:,} rows"
        if self.rows_rejected:
            detail += f", {self.rows_rejected:,} lines rejected"
        if self.extra_columns:
            detail += f", extra columns: {', '.join(self.extra_columns)}"
        if self.replaced_days:
            detail += f"; it replaces {self.replaced_days} by rows of other days only"
        if self.status == "skipped":
            detail = "unchanged"
        return printable(f"{self.status:<9} {self.entity}  {self.name}  {self.reason or detail}")


@dataclass(frozen=True)
class LoadSummary:
    """The results of one run for a domain; the totals count the rows of this run."""

    domain: str
    results: tuple[LoadResult, ...]

    @property
    def failed(self) -> bool:
        """Whether a file could not be loaded."""
        return any(result.status == "failed" for result in self.results)

    @property
    def partial(self) -> bool:
        """Whether nothing failed, but something was left for another run."""
        return any(result.status == "partial" for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Return the results and the totals as JSON-ready values."""
        totals = {
            count: sum(getattr(result, count) for result in self.results)
            for count in ("rows_read", "rows_loaded", "rows_rejected")
        }
        return {"domain": self.domain, "results": [asdict(result) for result in self.results], **totals}

    def __str__(self) -> str:
        """Return the results and the totals as lines for a person."""
        totals = self.to_dict()
        names = {result.name for result in self.results}
        return "\n".join(
            [
                *map(str, self.results),
                f"{self.domain}: {len(names)} files, {totals['rows_read']:,} rows read, "
                f"{totals['rows_loaded']:,} loaded, {totals['rows_rejected']:,} rejected",
            ]
        )


class FilesFailedError(RuntimeError):
    """Some files or API entities could not be loaded, all others were; the message gives each reason."""

    def __init__(self, summary: LoadSummary) -> None:
        failed = [result for result in summary.results if result.status == "failed"]
        # Each entity gives the same reason for a file of corrections.
        reasons = dict.fromkeys(f"{result.name}: {result.reason}" for result in failed)
        super().__init__(printable("; ".join(reasons)))
        self.summary = summary
