"""The steps of a domain's run: the one list that its DAG and `sluice run` follow.

`steps_of` derives the list from the declarations in `ingestion/sources/`. `orchestration.run` runs the steps in a
shell, the DAG factory makes tasks of them, and `steps_table` is their documentation in both places.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ingestion.api.api_resource import ApiResource
from ingestion.files.file_resource import FileResource
from ingestion.registry import used_resources_of
from settings import Settings
from transformation.manifest import ManifestError, read_manifest


class Kind(StrEnum):
    """What a step does, and so which code runs it."""

    LIST_PARTS = "list_parts"
    DOWNLOAD = "download"
    FETCH = "fetch"
    INGEST = "ingest"
    CHECK_NEW = "check_new"
    ENRICH = "enrich"
    CHECK_VOLUME = "check_volume"
    FIND_CHANGES = "find_changes"
    BUILD = "build"
    TEST = "test"
    PUBLISH = "publish"
    REPORT = "report"
    NOTIFY = "notify"
    RECORD = "record"


class Retries(StrEnum):
    """How often a DAG tries a step again; the text is that of the table."""

    BACKOFF = "with growing delays"
    ONCE = "once"
    NEVER = "never"


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        id: the task's id in the DAG; for the dbt models, which have a task each, the ids of their task groups.
        kind: which code runs it.
        summary: what it does.
        on_failure: what a failure means for the run and for readers.
        retries: whether a DAG tries it again.
        not_retried: the failures that are final, for the table.
        required: nothing is published if it fails. After the failure of any other step the run goes on and is partial.
        needs_rows: nothing is published if it fails and nothing of its entity was ever loaded.
        entity: the entity that it loads or checks, by the name of its resource.
        table: the raw table that it writes, if not that of the entity.
        parts: what the entity is loaded by, one task each: `month` or `file`.
        fetched: it loads what a step before has read.
        in_shell: `sluice run` has this step, too; the others only divide the work into tasks.
    """

    id: str
    kind: Kind
    summary: str
    on_failure: str
    retries: Retries = Retries.BACKOFF
    not_retried: str = ""
    required: bool = True
    needs_rows: bool = False
    entity: str = ""
    table: str = ""
    parts: str | None = None
    fetched: bool = False
    in_shell: bool = True


_NOT_PUBLISHED = "nothing is published"
_GOES_ON = "the run goes on and is partial"

_MODELS = (
    Step(
        "find_changes",
        Kind.FIND_CHANGES,
        "find out which models and tests have new data, code or parameters; the others are skipped, and so is `publish`"
        " if all that it publishes is published",
        _NOT_PUBLISHED,
    ),
    Step(
        "seeds.*, models.*",
        Kind.BUILD,
        "one task per dbt model; one `dbt build` builds them all",
        "what reads the model is not built; nothing is published",
        not_retried="the build itself is not: a failed model is built again by its own task, unless its SQL would fail again",
    ),
    Step(
        "test_data",
        Kind.TEST,
        "run the data tests of all models",
        _NOT_PUBLISHED,
        Retries.NEVER,
        not_retried="data test failures are deterministic",
        # `dbt build` runs the tests there.
        in_shell=False,
    ),
    Step(
        "publish",
        Kind.PUBLISH,
        "swap in the new marts by one rename",
        f"{_NOT_PUBLISHED}; where the gate stops, a person decides if `approval_hours` are set",
        not_retried="not if too much is in quarantine or the marts differ too much",
    ),
)
_REPORTS = Step(
    "write_reports",
    Kind.REPORT,
    "write CSV files from the published marts",
    "the marts are published, the last reports stay; the run is partial",
    Retries.ONCE,
    required=False,
)
_END = (
    Step(
        "notify",
        Kind.NOTIFY,
        "send e-mail and call the webhook after a failure, or after any run; send the lineage if it has a receiver",
        "the log has the reason; the run does not depend on it",
        Retries.NEVER,
        required=False,
    ),
    Step(
        "record_run",
        Kind.RECORD,
        "write the metrics of the run to `raw_ops`",
        "the next run records this one, too",
        required=False,
    ),
)


def steps_of(domain: str, settings: Settings) -> tuple[Step, ...]:
    """Return the steps of a domain's run, in order.

    Raises:
        UnknownDomainError: there is no such domain.
        SettingsError: a variable of an API has an invalid value.
    """
    reports = (_REPORTS,) if _has_reports(domain, settings) else ()
    return (*_ingest_steps(domain), *_MODELS, *reports, *_END)


def _has_reports(domain: str, settings: Settings) -> bool:
    if not settings.manifest.exists():
        return False
    try:
        return bool(read_manifest(settings.manifest).reports(domain))
    except ManifestError:
        # The step itself fails, with the reason.
        return True


def steps_table(steps: Sequence[Step]) -> str:
    """Return the steps as a Markdown table."""
    lines = ["| step | what it does | retried | if it fails |", "|---|---|---|---|"]
    for step in steps:
        ids = ", ".join(f"`{each}`" for each in step.id.split(", "))
        retried = f"{step.retries}; {step.not_retried}" if step.not_retried else step.retries
        lines.append(f"| {ids} | {step.summary} | {retried} | {step.on_failure} |")
    return "\n".join(lines)


def _ingest_steps(domain: str) -> Iterator[Step]:
    """The steps that load the entities of a domain: files, then APIs, then enrichments."""
    for resource in used_resources_of(domain):
        if isinstance(resource, FileResource) and resource.source:
            yield from _extract_steps(resource.entity)
        elif isinstance(resource, FileResource):
            yield from _file_steps(resource.entity, bool(resource.partition), resource.moves_files)
        elif isinstance(resource, ApiResource):
            then = _GOES_ON if resource.is_optional else _NOT_PUBLISHED
            yield Step(
                f"fetch_{resource.name}",
                Kind.FETCH,
                "read the records that are new or changed in the API, while other runs write to the warehouse",
                f"nothing of it is loaded; {then}",
                not_retried="only its requests are",
                required=not resource.is_optional,
                entity=resource.name,
                # The step that loads them reads them as well.
                in_shell=False,
            )
            yield Step(
                f"ingest_{resource.name}",
                Kind.INGEST,
                "load the records that were read",
                then,
                required=not resource.is_optional,
                entity=resource.name,
                table=resource.entity,
                fetched=True,
            )
        else:
            yield from _enrichment_steps(resource.articles.entity, resource.entity)


def _extract_steps(entity: str) -> Iterator[Step]:
    yield Step(
        f"fetch_{entity}",
        Kind.FETCH,
        "read the rows or files that are new or changed in the source into landing, while other runs write",
        f"what it has read is loaded; {_GOES_ON}",
        required=False,
        needs_rows=True,
        entity=entity,
        # The step that loads them reads them as well.
        in_shell=False,
    )
    yield Step(
        f"ingest_{entity}",
        Kind.INGEST,
        "load the files that were written or fetched",
        f"the good files are loaded, `file_loads` has the reason for each bad one; {_GOES_ON}",
        not_retried="not for a bad file",
        required=False,
        needs_rows=True,
        entity=entity,
        fetched=True,
    )


def _file_steps(entity: str, by_month: bool, by_file: bool) -> Iterator[Step]:
    if not (by_month or by_file):
        yield Step(
            f"ingest_{entity}",
            Kind.INGEST,
            "load new and changed files",
            f"the good files are loaded, `file_loads` has the reason for each bad one; {_GOES_ON}",
            not_retried="not for a bad file",
            required=False,
            needs_rows=True,
            entity=entity,
        )
        return
    if by_month:
        yield Step(
            "months",
            Kind.LIST_PARTS,
            "list the months: by schedule those since the start that are missing or changed, in a backfill that of the date,"
            " by hand those of the parameter `months` or all in landing",
            _NOT_PUBLISHED,
            entity=entity,
            parts="month",
            in_shell=False,
        )
        yield Step(
            f"download_{entity}",
            Kind.DOWNLOAD,
            "download the file of a month, if a URL is set and the file is not there",
            f"that month is left out; {_GOES_ON}. A month that is not available yet is skipped",
            not_retried="it resumes where it stopped",
            required=False,
            entity=entity,
            parts="month",
            # `sluice load DOMAIN --month … --download`
            in_shell=False,
        )
    else:
        yield Step(
            "files",
            Kind.LIST_PARTS,
            "list the complete files in landing",
            _NOT_PUBLISHED,
            entity=entity,
            parts="file",
            in_shell=False,
        )
    summary = (
        "load the file of a month in place of that month's earlier rows"
        if by_month
        else "load a file and move it to the archive, or to `failed` with the reason"
    )
    yield Step(
        f"ingest_{entity}",
        Kind.INGEST,
        summary,
        f"the other {'months' if by_month else 'files'} are loaded; {_GOES_ON}",
        not_retried="not for a bad file",
        required=False,
        needs_rows=True,
        entity=entity,
        parts="month" if by_month else "file",
    )


def _enrichment_steps(articles: str, entity: str) -> Iterator[Step]:
    yield Step(
        "check_for_new_data",
        Kind.CHECK_NEW,
        "skip the rest if nothing is new and nothing is left from earlier runs",
        _NOT_PUBLISHED,
        entity=articles,
        # A person who starts a run in a shell wants it to build.
        in_shell=False,
    )
    yield Step(
        f"enrich_{articles}",
        Kind.ENRICH,
        "enrich each new text, within the budget",
        f"the texts that are left wait for the next run; {_GOES_ON}",
        required=False,
        entity=entity,
    )
    yield Step(
        "check_volume",
        Kind.CHECK_VOLUME,
        "alert if the last whole day has less than half of the records of the week before",
        _GOES_ON,
        Retries.NEVER,
        required=False,
        entity=articles,
    )
