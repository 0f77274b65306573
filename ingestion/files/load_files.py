"""The files of one resource into raw: find, fingerprint, parse to Parquet, load with dlt, move."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from common.days import replaced_days
from common.files import work_folder
from ingestion.files.delivery import delivery_name, find_fault
from ingestion.files.file_resource import CORRECTIONS, FileResource
from ingestion.files.landing import (
    Watch,
    find_files,
    list_deliveries,
    move_to_archive,
    move_to_rejected,
    version_of,
)
from ingestion.files.load_records import (
    LoadRecords,
    Record,
    content_checksum_of,
    find_duplicate,
    fingerprint,
    new_record,
)
from ingestion.files.read_file import days_of, read_file, reading
from ingestion.formats import ParsedFile, UnreadableFileError
from ingestion.loader.loader import Loader, row_id_prefix
from ingestion.results import LoadResult
from settings import Settings

logger = logging.getLogger(__name__)

# The columns of `rejected_lines` that a rejected line has.
REJECTED = ("line_number", "reason", "line", "line_count")
# The `entity` of a file that no resource matches.
NO_ENTITY = "none"


def load_files(
    resource: FileResource,
    siblings: Sequence[FileResource],
    settings: Settings,
    *,
    partitions: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    reload: bool = False,
) -> list[LoadResult]:
    """Load every new or changed file of a resource; a bad file is recorded as failed, and the others load.

    Args:
        resource: the resource to load.
        siblings: all file resources of its domain, which share files of corrections.
        settings: the data folder and environment.
        partitions: the partitions to load; all if not given. One without a file fails.
        names: the files to load; all if not given. A missing one is deferred.
        reload: load these files also if their content is loaded.

    Raises:
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    landing = settings.landing(resource.domain)
    landing.mkdir(parents=True, exist_ok=True)
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)

    def wanted() -> list[Path]:
        found = find_files(resource, landing)
        if partitions is not None:
            found = [path for path in found if resource.partition_of(path.name) in partitions]
        return found if names is None else [path for path in found if delivery_name(path) in names]

    watch = Watch(settings.file_stable_seconds)
    if resource.moves_files:
        watch.wait(wanted)
    with (
        Loader.open(resource, settings) as loader,
        work_folder(settings.dlt_dir / f"parse_{settings.warehouse_name}_{resource.domain}") as work,
    ):
        if resource.kept_files:
            loader.remove_unfinished(resource.kept_files.removesuffix("*"))
        run = _Run(resource, siblings, loader, settings, work, watch, reload=reload)
        # Another run may have had the warehouse, and the files, until now.
        paths = wanted()
        results = [
            run.load(path, duplicate=find_duplicate(resource, path, paths, settings.file_limits))
            for path in paths
        ]
        if names is not None:
            missing = sorted({*names} - {delivery_name(path) for path in paths})
            results += [
                LoadResult(name, resource.entity, "deferred", reason=f"it is not in {landing}")
                for name in missing
            ]
        elif partitions is not None:
            delivered = {resource.partition_of(path.name) for path in paths}
            results += [
                LoadResult(each, resource.entity, "failed", reason=f"no file for {each} in {landing}")
                for each in partitions
                if each not in delivered
            ]
        elif resource == siblings[0]:
            results += [run.reject_unmatched(path) for path in _unmatched(siblings, landing)]
        return results


class _Run:
    """One run over the files of a resource, with its raw table open."""

    def __init__(
        self,
        resource: FileResource,
        siblings: Sequence[FileResource],
        loader: Loader,
        settings: Settings,
        work: Path,
        watch: Watch,
        *,
        reload: bool,
    ) -> None:
        self._watch = watch
        self._reload = reload
        self._siblings = siblings
        self._resource = resource
        self._loader = loader
        self._settings = settings
        self._work = work
        self._records = LoadRecords(resource, loader)

    def load(self, path: Path, *, duplicate: Path | None) -> LoadResult:
        """Load one file unless its content is loaded; move it if the resource says so.

        Args:
            path: the file.
            duplicate: another file of the same partition, so that neither can be loaded.
        """
        record = new_record(path, self._resource.entity)
        name = record["source_file"]
        if not self._resource.moves_files:
            if duplicate:
                partition = self._resource.partition_of(path.name)
                reason = f"{duplicate.name} is for {partition} as well; keep the one that counts"
                return self._reject(path, self._resource.entity, reason)
            return self._load(path, record)
        version = version_of(path)
        if not self._watch.is_complete(path):
            return LoadResult(name, self._resource.entity, "deferred", reason="it is being written")
        result = self._load(path, record)
        if version_of(path) != version:
            reason = "it changed while it was loaded; the next run loads it"
            return replace(result, status="deferred", reason=reason)
        # A kill before the move leaves the file where the next run finds it.
        return self._move(path, record, result)

    def reject_unmatched(self, path: Path) -> LoadResult:
        """Record a file that no resource of the domain matches as failed."""
        patterns = dict.fromkeys(sibling.pattern for sibling in self._siblings)
        corrections = [CORRECTIONS] if any(not sibling.partition for sibling in self._siblings) else []
        known = ", ".join([*patterns, *corrections])
        return self._reject(
            path, NO_ENTITY, find_fault(path) or f"no resource takes files of this name; known: {known}"
        )

    def _load(self, path: Path, record: Record) -> LoadResult:
        """Load one file unless its content is loaded, and complete its record."""
        try:
            with work_folder(self._work / "file") as work:
                return self._read_and_write(path, record, work)
        except UnreadableFileError as error:
            return self._failed(record, str(error))

    def _read_and_write(self, path: Path, record: Record, work: Path) -> LoadResult:
        name = record["source_file"]
        version = version_of(path)
        with reading(path, work):
            record |= fingerprint(path)
        known = self._records.loaded(name, record["sha256"])
        if known and not self._reload:
            record["loaded_at"] = known["loaded_at"]
            return LoadResult(name, self._resource.entity, "skipped")
        record["delivery"] = self._records.next_delivery(name, record["sha256"])
        with reading(path, work):
            record["content_sha256"] = content_checksum_of(path, record["sha256"], self._settings.file_limits)
        replaced = self._records.replaced_by(name)
        if known in replaced:
            # Its rows keep their ids, which corrections name.
            record["delivery"] = known["delivery"]
            replaced.remove(known)
        same = self._records.same_content(record)
        if same and not self._reload and not self._is_leaving(same, name):
            return self._skip(record, same, [row for row in replaced if row is not same])
        with reading(path, work):
            header, parsed = read_file(
                path,
                row_id_prefix(name, record["sha256"], record["delivery"]),
                self._resource,
                self._siblings,
                self._loader,
                self._settings.file_limits,
                work,
            )
        record["extra_columns"] = ", ".join(header.extra) or None
        if version_of(path) != version:
            raise UnreadableFileError("it changed while it was read; the next run loads it")
        record["rows_by_day"] = days_of(parsed, self._resource.day) if self._resource.day else None
        self._write(parsed, record, replaced)
        logger.info("loaded %s: %d rows, %d rejected", path, parsed.rows, parsed.rows_rejected)
        return LoadResult(
            name,
            self._resource.entity,
            "replaced" if replaced or (known and not self._resource.keeps_earlier(name)) else "loaded",
            rows_read=record["rows_read"],
            rows_loaded=record["rows_loaded"],
            rows_rejected=record["rows_rejected"],
            extra_columns=header.extra,
            replaced_days=_first(
                replaced_days(old.get("rows_by_day"), record["rows_by_day"]) for old in replaced
            ),
        )

    def _is_leaving(self, same: Record, name: str) -> bool:
        """Whether new content in landing is about to replace a loaded content that another file has as well."""
        other = same["source_file"]
        path = self._settings.landing(self._resource.domain) / other
        if other == name or self._resource.keeps_earlier(other) or not path.exists():
            return False
        found = new_record(path, self._resource.entity)
        try:
            found |= fingerprint(path)
            content = content_checksum_of(path, found["sha256"], self._settings.file_limits)
        except (UnreadableFileError, OSError):
            return False
        return content != same["content_sha256"] and not self._records.has_failed(other, found["sha256"])

    def _skip(self, record: Record, same: Record, replaced: list[Record]) -> LoadResult:
        """Leave out a file whose content another one has brought; rows of its own earlier content leave.

        Raises:
            UnreadableFileError: the other one brought it for another partition.
        """
        name, other = record["source_file"], same["source_file"]
        own, loaded = (self._resource.partition_of(each) for each in (name, other))
        if own != loaded:
            raise UnreadableFileError(
                f"its content is that of {other}, which is loaded for {loaded}; deliver the rows of {own}"
            )
        when = f"{same['loaded_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        what = f"its content is that of {other}, loaded at {when}"
        reason = f"{what}; its earlier rows leave" if replaced else f"{what}; nothing changes"
        if replaced:
            # Before the records: after a kill between the two the file is skipped again.
            self._loader.remove_rows(own or name)
        self._records.write_unloaded(record, "skipped", reason, replaced)
        record["loaded_at"] = same["loaded_at"]
        return LoadResult(name, self._resource.entity, "replaced" if replaced else "skipped", reason=reason)

    def _write(self, parsed: ParsedFile, record: Record, replaced: list[Record]) -> None:
        name = record["source_file"]
        prefix = row_id_prefix(name, record["sha256"], record["delivery"])
        if self._resource.keeps_earlier(name):
            # Rows of this delivery belong to a killed load.
            self._loader.remove_content(name, prefix)
            append = True
        else:
            value = self._resource.partition_of(name) or name
            append = not self._loader.has_rows(value)
            if not append and not parsed.rows:
                # dlt replaces the rows of what it gets. Before the records: after a kill the file is loaded again.
                self._loader.remove_rows(value)
        record |= {
            "rows_read": parsed.rows + parsed.rows_rejected,
            "rows_loaded": parsed.rows,
            "rows_rejected": parsed.rows_rejected,
            "status": "loaded",
            "loaded_at": datetime.now(UTC),
        }
        keys = {"entity": self._resource.entity, "source_file": name}
        self._loader.load(
            parsed.parquet,
            parsed.rows,
            rejected=[
                keys | {name: getattr(line, name) for name in REJECTED} | {"_row_id": line.id(prefix)}
                for line in parsed.rejected
            ],
            records=[record, *(content | {"status": "replaced"} for content in replaced)],
            append=append,
        )
        self._records.note_loaded(record, replaced)

    def _move(self, path: Path, record: Record, result: LoadResult) -> LoadResult:
        sha256 = record["sha256"]
        try:
            if result.status == "failed":
                move_to_rejected(path, result.reason or "", sha256)
            else:
                day = f"{record['loaded_at'].astimezone(UTC):%Y-%m-%d}"
                move_to_archive(path, self._settings.archive(self._resource.domain) / day, sha256)
        except OSError as error:
            reason = f"{result.reason or 'it is loaded'}; it could not be moved: {error.strerror}"
            return replace(result, status="failed", reason=reason)
        return result

    def _reject(self, path: Path, entity: str, reason: str) -> LoadResult:
        record = new_record(path, entity)
        with suppress(UnreadableFileError, OSError):
            record |= fingerprint(path)
        if self._records.loaded(record["source_file"], record["sha256"]):
            # Its loaded rows still count, and so does their record.
            return LoadResult(record["source_file"], entity, "failed", reason=reason)
        return self._failed(record, reason)

    def _failed(self, record: Record, reason: str) -> LoadResult:
        self._records.write_unloaded(record, "failed", reason)
        return LoadResult(record["source_file"], record["entity"], "failed", reason=reason)


def _unmatched(resources: Sequence[FileResource], landing: Path) -> list[Path]:
    return [
        path
        for path in list_deliveries(landing)
        if not any(resource.matches(path.name) for resource in resources)
    ]


def _first(texts: Iterable[str | None]) -> str | None:
    return next(filter(None, texts), None)
