"""The list of steps of a run, which the shell and the DAGs share."""

import pytest

from ingestion.files.file_resource import FileResource
from ingestion.registry import domains
from ingestion.row_source import RowSource
from orchestration.steps import Kind, steps_of, steps_table
from settings import Settings
from tests.parsed import Parsed

END = [Kind.FIND_CHANGES, Kind.BUILD, Kind.TEST, Kind.PUBLISH, Kind.NOTIFY, Kind.RECORD]


@pytest.mark.parametrize("domain", domains())
def test_every_run_ends_with_the_same_steps_and_has_each_once(domain: str, settings: Settings) -> None:
    steps = steps_of(domain, settings)
    assert [step.kind for step in steps if step.kind in END] == END
    ids = [step.id for step in steps]
    assert len({*ids}) == len(ids)
    assert Kind.INGEST in [step.kind for step in steps]


def test_the_steps_follow_from_the_declarations(settings: Settings) -> None:
    def first(domain: str) -> list[str]:
        steps = steps_of(domain, settings)
        return [step.id for step in steps[: [step.kind for step in steps].index(Kind.FIND_CHANGES)]]

    assert first("collisions") == ["ingest_crashes"]
    assert first("ecommerce") == ["ingest_orders", "ingest_customers", "ingest_products"]
    assert first("taxi") == ["months", "download_trips", "ingest_trips"]
    assert first("sales") == ["files", "ingest_sales", "fetch_products", "ingest_products"]
    assert first("news") == [
        "fetch_articles",
        "ingest_articles",
        "check_for_new_data",
        "enrich_articles",
        "check_volume",
    ]


def test_only_a_domain_with_reports_writes_them(settings: Settings, project: Parsed) -> None:
    project.put(settings)
    writing = [
        domain for domain in domains() if Kind.REPORT in [step.kind for step in steps_of(domain, settings)]
    ]
    assert writing == ["ecommerce"]


def test_the_table_has_a_line_for_each_step(settings: Settings) -> None:
    steps = steps_of("ecommerce", settings)
    header, rule, *lines = steps_table(steps).splitlines()
    assert header == "| step | what it does | retried | if it fails |"
    assert len(lines) == len(steps)
    assert all(line.count("|") == 5 for line in (header, rule, *lines))
    assert "| `publish` | swap in the new marts by one rename | with growing delays;" in steps_table(steps)


def test_a_source_is_read_by_a_step_of_its_own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [
        FileResource(domain="crm", entity=name, columns=("id",), source=RowSource(lambda _: []))
        for name in ("accounts", "visits")
    ]
    monkeypatch.setattr("orchestration.steps.used_resources_of", lambda _: tables)
    steps = [step for step in steps_of("crm", settings) if step.kind in (Kind.FETCH, Kind.INGEST)]
    assert [(step.id, step.in_shell, step.fetched, step.needs_rows) for step in steps] == [
        ("fetch_accounts", False, False, True),
        ("ingest_accounts", True, True, True),
        ("fetch_visits", False, False, True),
        ("ingest_visits", True, True, True),
    ]
