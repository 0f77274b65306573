"""The files of one resource into raw: find, fingerprint, parse to Parquet, load with dlt, move."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from common.files import work_folder
from ingestion.files.file_resource import CORRECTIONS, FileResource
from ingestion.files.header import Header, map_header
from ingestion.files.landing import (
    checksum_of,
    find_files,
    is_complete,
    list_deliveries,
    move_to_archive,
    move_to_rejected,
    version_of,
    wait_until_complete,
)
from ingestion.files.multi_entity_files import take_own_lines
from ingestion.formats import ParsedFile, RowShape, UnreadableFileError, parse
from ingestion.loader.loader import Loader, row_id_prefix
from ingestion.loader.tables import file_loads
from ingestion.results import LoadResult
from settings import Settings

logger = logging.getLogger(__name__)

# The `entity` of a file that no resource matches.
NO_ENTITY = "none"


def load_files(
    resource: FileResource,
    siblings: Sequence[FileResource],
    settings: Settings,
    *,
    partitions: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> list[LoadResult]:
    """Load every new or changed file of a resource; a bad file is recorded as failed, and the others load.

    Args:
        resource: the resource to load.
        siblings: all file resources of its domain, which share files of corrections.
        settings: the data folder and environment.
        partitions: the partitions to load; all if not given. One without a file fails.
        names: the files to load; all if not given. A missing one is deferred.

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
        return found if names is None else [path for path in found if path.name in names]

    if resource.moves_files:
        wait_until_complete(wanted, settings.file_stable_seconds)
    with Loader.open(resource, settings) as loader:
        if resource.kept_files:
            loader.remove_unfinished(resource.kept_files.removesuffix("*"))
        run = _Run(resource, siblings, loader, settings)
        # Another run may have had the warehouse, and the files, until now.
        paths = wanted()
        results = [run.load(path, duplicate=_duplicate(resource, path, paths)) for path in paths]
        if names is not None:
            missing = sorted({*names} - {path.name for path in paths})
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
        self, resource: FileResource, siblings: Sequence[FileResource], loader: Loader, settings: Settings
    ) -> None:
        self._siblings = siblings
        self._resource = resource
        self._loader = loader
        self._settings = settings
        # Rows of `file_loads` for the contents that are loaded now, by file name and sha256.
        self._loaded: dict[str, dict[str, dict[str, Any]]] = {}
        for row in loader.file_loads(resource.entity, "loaded"):
            self._loaded.setdefault(row["source_file"], {})[row["sha256"]] = row

    def load(self, path: Path, *, duplicate: Path | None) -> LoadResult:
        """Load one file unless its content is loaded; move it if the resource says so.

        Args:
            path: the file.
            duplicate: another file of the same partition, so that neither can be loaded.
        """
        if not self._resource.moves_files:
            if duplicate:
                partition = self._resource.partition_of(path.name)
                reason = f"{duplicate.name} is for {partition} as well; keep the one that counts"
                return self._reject(path, self._resource.entity, reason)
            return self._load(path, _record(path, self._resource.entity))
        version = version_of(path)
        if not is_complete(path, self._settings.file_stable_seconds):
            return LoadResult(path.name, self._resource.entity, "deferred", reason="it is being written")
        record = _record(path, self._resource.entity)
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
        return self._reject(path, NO_ENTITY, f"no resource takes files of this name; known: {known}")

    def _load(self, path: Path, record: dict[str, Any]) -> LoadResult:
        """Fingerprint, parse and load one file; the record gets what is found out about it."""
        with work_folder(self._work_folder()) as work:
            try:
                version = version_of(path)
                record |= _fingerprint(path)
                if record["sha256"] in self._loaded.get(path.name, {}):
                    return LoadResult(path.name, self._resource.entity, "skipped")
                replaced = self._replaced_by(path.name)
                header = map_header(path, self._resource, self._siblings, self._loader)
                record["extra_columns"] = ", ".join(header.extra) or None
                parsed = self._parse(path, header, record, work)
                if version_of(path) != version:
                    raise UnreadableFileError("it changed while it was read; the next run loads it")
            except UnreadableFileError as error:
                return self._failed(record, str(error))
            except OSError as error:
                return self._failed(record, f"it cannot be read: {error.strerror}")
            self._write(parsed, record, replaced)
        logger.info("loaded %s: %d rows, %d rejected", path, parsed.rows, len(parsed.rejected))
        return LoadResult(
            path.name,
            self._resource.entity,
            "replaced" if replaced else "loaded",
            rows_read=record["rows_read"],
            rows_loaded=record["rows_loaded"],
            rows_rejected=record["rows_rejected"],
            extra_columns=header.extra,
        )

    def _parse(self, path: Path, header: Header, record: dict[str, Any], work: Path) -> ParsedFile:
        partition = self._resource.partition_of(path.name)
        shape = RowShape(
            header.names,
            {"_source_file": path.name, **({"_partition": partition} if partition else {})},
            row_id_prefix(path.name, record["sha256"]),
            self._loader.layout(),
        )
        parsed = parse(path, shape, parquet=work / "rows.parquet")
        if not header.names_entities:
            return parsed
        own = work / "own_rows.parquet"
        parsed = take_own_lines(parsed, path.name, self._resource, self._siblings, parquet=own)
        if parsed.rows:
            header.check_columns(self._resource)
        return parsed

    def _write(self, parsed: ParsedFile, record: dict[str, Any], replaced: list[dict[str, Any]]) -> None:
        name = record["source_file"]
        prefix = row_id_prefix(name, record["sha256"])
        if self._resource.keeps_earlier(name):
            # Loaded content is not loaded a second time, so rows of this content belong to a killed load.
            self._loader.remove_content(name, record["sha256"])
            append = True
        else:
            append = not self._loader.has_rows(self._resource.partition_of(name) or name)
        record |= {
            "rows_read": parsed.rows + len(parsed.rejected),
            "rows_loaded": parsed.rows,
            "rows_rejected": len(parsed.rejected),
            "status": "loaded",
            "loaded_at": datetime.now(UTC),
        }
        keys = {"entity": self._resource.entity, "source_file": name}
        self._loader.load(
            parsed.parquet,
            parsed.rows,
            rejected=[
                keys | asdict(line) | {"_row_id": f"{prefix}-L{line.line_number}"} for line in parsed.rejected
            ],
            records=[record, *(content | {"status": "replaced"} for content in replaced)],
            append=append,
        )
        for content in replaced:
            del self._loaded[content["source_file"]][content["sha256"]]
        self._loaded.setdefault(name, {})[record["sha256"]] = record

    def _replaced_by(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of `file_loads` for the contents that a file of this name replaces.

        Raises:
            UnreadableFileError: the name has no partition.
        """
        if self._resource.keeps_earlier(name):
            return []
        names = [name]
        if self._resource.partition:
            partition = self._resource.partition_of(name)
            if not partition:
                raise UnreadableFileError("its name has no month written as 2024-05 before the suffix")
            names = [each for each in self._loaded if self._resource.partition_of(each) == partition]
        return [content for each in names for content in self._loaded.get(each, {}).values()]

    def _move(self, path: Path, record: dict[str, Any], result: LoadResult) -> LoadResult:
        sha256 = record["sha256"]
        try:
            if result.status == "failed":
                move_to_rejected(path, result.reason or "", sha256)
            else:
                loaded_at = self._loaded[path.name][sha256]["loaded_at"].astimezone(UTC)
                archive = self._settings.archive(self._resource.domain)
                move_to_archive(path, archive / f"{loaded_at:%Y-%m-%d}", sha256)
        except OSError as error:
            reason = f"{result.reason or 'it is loaded'}; it could not be moved: {error.strerror}"
            return replace(result, status="failed", reason=reason)
        return result

    def _reject(self, path: Path, entity: str, reason: str) -> LoadResult:
        record = _record(path, entity)
        with suppress(UnreadableFileError, OSError):
            record |= _fingerprint(path)
        if record["sha256"] in self._loaded.get(path.name, {}):
            # Its loaded rows still count, and so does their record.
            return LoadResult(path.name, entity, "failed", reason=reason)
        return self._failed(record, reason)

    def _failed(self, record: dict[str, Any], reason: str) -> LoadResult:
        """Record that a file could not be loaded, once per content and reason."""
        result = LoadResult(record["source_file"], record["entity"], "failed", reason=reason)
        earlier = [
            row
            for row in self._loader.file_loads(record["entity"], "failed")
            if row["source_file"] == record["source_file"]
        ]
        last = max(earlier, key=itemgetter("loaded_at"), default=None)
        if last and (last["sha256"], last["reason"]) == (record["sha256"], reason):
            return result
        failure = {"rows_read": 0, "rows_loaded": 0, "rows_rejected": 0, "status": "failed", "reason": reason}
        self._loader.run(file_loads([record | failure | {"loaded_at": datetime.now(UTC)}]))
        return result

    def _work_folder(self) -> Path:
        return self._settings.dlt_dir / f"parse_{self._settings.warehouse_name}_{self._resource.domain}"


def _record(path: Path, entity: str) -> dict[str, Any]:
    return {"entity": entity, "source_file": path.name, "sha256": "", "bytes": 0}


def _fingerprint(path: Path) -> dict[str, Any]:
    """Return the hash and the size of a file's content, as `file_loads` has them.

    Raises:
        UnreadableFileError: the path is not a file.
        OSError: the file cannot be read.
    """
    if path.exists() and not path.is_file():
        raise UnreadableFileError("it is a folder or a device, not a file")
    return {"sha256": checksum_of(path), "bytes": path.stat().st_size}


def _duplicate(resource: FileResource, path: Path, paths: Sequence[Path]) -> Path | None:
    """Return another file of the same partition."""
    partition = resource.partition_of(path.name)
    others = (other for other in paths if other != path and partition)
    return next((other for other in others if resource.partition_of(other.name) == partition), None)


def _unmatched(resources: Sequence[FileResource], landing: Path) -> list[Path]:
    return [
        path
        for path in list_deliveries(landing)
        if not any(resource.matches(path.name) for resource in resources)
    ]
