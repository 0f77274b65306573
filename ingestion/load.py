"""A domain's run: every new or changed file of its landing folder into raw, one by one."""

import hashlib
import importlib
import pkgutil
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import settings as settings_module
from ingestion import sources
from ingestion.csv_framing import UnreadableFileError, frame, read_header
from ingestion.csv_parser import ParsedFile, parse
from ingestion.feeds import CsvFeed
from ingestion.raw_store import RawStore
from settings import Settings


class UnknownDomainError(ValueError):
    """There is no such domain; the message names those there are."""


class FilesFailedError(RuntimeError):
    """Some files could not be loaded, all others were; the message names each with its reason."""

    def __init__(self, summary: "LoadSummary") -> None:
        failed = [file for file in summary.files if file.status == "failed"]
        super().__init__("; ".join(f"{file.name}: {file.reason}" for file in failed))
        self.summary = summary


@dataclass(frozen=True)
class FileResult:
    """What a run did with one file. `status` is loaded, replaced, skipped or failed."""

    name: str
    entity: str
    status: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    extra_columns: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class LoadSummary:
    """What a run did with each file of a domain; the sums are over the files loaded by it."""

    domain: str
    files: tuple[FileResult, ...]

    @property
    def failed(self) -> bool:
        """Whether a file could not be loaded."""
        return any(file.status == "failed" for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON-ready values: the files, and over all the rows of this run."""
        counts = ("rows_read", "rows_loaded", "rows_rejected")
        totals = {count: sum(getattr(file, count) for file in self.files) for count in counts}
        return {"domain": self.domain, "files": [asdict(file) for file in self.files], **totals}


def describe(summary: LoadSummary) -> str:
    """The summary as lines for a person."""
    lines = []
    for file in summary.files:
        detail = f"{file.rows_loaded:,} rows"
        if file.rows_rejected:
            detail += f", {file.rows_rejected:,} lines rejected"
        if file.extra_columns:
            detail += f", extra columns kept: {', '.join(file.extra_columns)}"
        if file.status == "skipped":
            detail = "unchanged"
        lines.append(f"{file.status:<9} {file.name}  {file.reason or detail}")
    totals = summary.to_dict()
    lines.append(
        f"{summary.domain}: {len(summary.files)} files, {totals['rows_read']:,} rows read, "
        f"{totals['rows_loaded']:,} loaded, {totals['rows_rejected']:,} rejected"
    )
    return "\n".join(lines)


def domains() -> list[str]:
    """The domains there are: the modules of `ingestion.sources`."""
    return sorted(module.name for module in pkgutil.iter_modules(sources.__path__))


def load_domain(domain: str, settings: Settings | None = None) -> LoadSummary:
    """Load all new or changed files of a domain's landing folder; safe to repeat at any time.

    Args:
        domain: one of `domains()`.
        settings: defaults to those of the environment.

    Raises:
        UnknownDomainError: there is no such domain.
        FilesFailedError: after all other files were loaded, if some could not be.
        WarehouseBusyError: another process kept the warehouse.
    """
    if domain not in domains():
        raise UnknownDomainError(f"unknown domain {domain!r}; there are: {', '.join(domains())}")
    settings = settings or settings_module.load()
    feeds: Sequence[CsvFeed] = importlib.import_module(f"ingestion.sources.{domain}").FEEDS
    summary = LoadSummary(domain, tuple(result for feed in feeds for result in _load_feed(feed, settings)))
    if summary.failed:
        raise FilesFailedError(summary)
    return summary


def _load_feed(feed: CsvFeed, settings: Settings) -> list[FileResult]:
    landing = settings.landing(feed.domain)
    landing.mkdir(parents=True, exist_ok=True)
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    with RawStore.open(feed, settings) as store, _work_folder(settings) as work:
        known = store.loaded_files()
        return [_load_file(path, feed, store, known.get(path.name), work) for path in feed.files(landing)]


@contextmanager
def _work_folder(settings: Settings) -> Iterator[Path]:
    """A folder for files between two formats; what a killed run left there goes first."""
    folder = settings.dlt_dir / f"parse_{settings.env}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _load_file(
    path: Path, feed: CsvFeed, store: RawStore, known: dict[str, Any] | None, work: Path
) -> FileResult:
    record: dict[str, Any] = {"entity": feed.entity, "source_file": path.name, "sha256": "", "bytes": 0}
    try:
        record |= _fingerprint(path)
        if known and known["sha256"] == record["sha256"]:
            return FileResult(path.name, feed.entity, "skipped")
        header = read_header(path)
        columns = feed.column_names(header)
        extra = tuple(feed.extra_columns(columns))
        record["extra_columns"] = ", ".join(extra) or None

        def to_parquet(load_id: str) -> ParsedFile:
            framing = frame(path, columns=len(columns), copy_to=work / "repaired.csv")
            if not framing.records + len(framing.rejected):
                raise UnreadableFileError("it has a header and no rows")
            parsed = parse(
                framing,
                columns,
                parquet=work / f"{load_id}.parquet",
                constants={"_source_file": path.name, "_dlt_load_id": load_id},
                layout=store.layout(),
                row_id_prefix=hashlib.sha256(f"{path.name}\n{record['sha256']}".encode()).hexdigest()[:16],
            )
            if not parsed.rows:
                first = parsed.rejected[0]
                raise UnreadableFileError(
                    f"none of its lines can be split; line {first.line_number}: {first.reason}"
                )
            if _fingerprint(path) != {key: record[key] for key in ("sha256", "bytes")}:
                raise UnreadableFileError("it changed while it was read; the next run loads it")
            return parsed

        parsed = store.load_file(record, to_parquet, replaces=known)
    except (UnreadableFileError, OSError) as error:
        reason = (
            str(error) if isinstance(error, UnreadableFileError) else f"it cannot be read: {error.strerror}"
        )
        store.record_failure(record, reason)
        return FileResult(path.name, feed.entity, "failed", reason=reason)
    rejected = len(parsed.rejected)
    return FileResult(
        path.name,
        feed.entity,
        "replaced" if known else "loaded",
        rows_read=parsed.rows + rejected,
        rows_loaded=parsed.rows,
        rows_rejected=rejected,
        extra_columns=extra,
    )


def _fingerprint(path: Path) -> dict[str, Any]:
    """Content hash and size (bytes) of a file as delivered.

    Raises:
        UnreadableFileError: the path is no file.
        OSError: the file cannot be read.
    """
    if path.exists() and not path.is_file():
        raise UnreadableFileError("it is a folder or a device, not a file")
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}
