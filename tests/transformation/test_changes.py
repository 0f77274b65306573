"""A run that skips what has no new input leaves the same tables as one that skips nothing."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from settings import Settings
from tests.transformation.small_project import (
    DOMAIN,
    MODELS,
    NODES,
    SOURCES,
    TESTS,
    SmallProject,
    in_order,
    node_id,
)
from transformation import changes as changes_of
from transformation import dbt, fingerprints
from transformation.changes import find_changes, record_built
from transformation.fingerprints import entity_id
from transformation.manifest import Manifest
from warehouse.duckdb_file import DuckDbWarehouse

SOURCE = st.sampled_from(SOURCES)
EVENT = st.one_of(
    st.tuples(st.just("load"), SOURCE),
    st.tuples(st.just("withdraw"), SOURCE),
    st.tuples(st.just("edit"), st.sampled_from([*NODES]), st.integers(0, 1)),
    # Somebody builds a model by hand, with dbt alone, or is killed while doing so.
    st.tuples(st.sampled_from(["by_hand", "by_hand_in_part"]), st.sampled_from([*MODELS])),
)
# A run with what happens meanwhile: before which of its acts, and after how many acts it is killed or fails.
RUN = st.tuples(
    st.just("run"),
    st.dictionaries(st.integers(0, 12), EVENT, max_size=2),
    st.one_of(st.none(), st.integers(0, 12)),
)


@pytest.fixture
def project(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    folder = tmp_path / "project"
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", folder)
    monkeypatch.setattr(dbt, "PROJECT_DIR", folder)
    monkeypatch.setattr(fingerprints, "DBT_PROJECT_DIR", folder)
    warehouse = DuckDbWarehouse(duckdb.connect())
    # In memory, because thousands of small steps would take minutes in a file.
    for opens in ("connect", "read_connection"):
        monkeypatch.setattr(changes_of, opens, lambda *_: nullcontext(warehouse))
    monkeypatch.setattr(changes_of, "warehouse_exists", lambda _: True)
    return SmallProject(settings, folder, warehouse)


def happen(project: SmallProject, event: tuple[Any, ...]) -> None:
    match event:
        case ("load", source):
            project.load(source)
        case ("withdraw", source):
            project.withdraw(source)
        case ("edit", name, version):
            project.edit(name, version)
        case ("by_hand", name):
            project.begin((name,), "an invocation")
            project.build(name)
        case ("by_hand_in_part", name):
            project.begin((name,), "an invocation")
            project.warehouse.execute(f"create or replace table marts.{name} as select 'a part' as value")


def run(project: SmallProject, number: int, meanwhile: dict[int, Any], killed_after: int | None) -> str:
    """Run as a DAG does: find what is new, build it, test it, record it; return how that ended."""
    acts = 0

    def act() -> bool:
        """Let happen what happens before the next act; return whether the run still lives."""
        nonlocal acts
        if acts in meanwhile:
            happen(project, meanwhile[acts])
        acts += 1
        return killed_after is None or acts <= killed_after

    run_id = f"run {number}"
    changes = find_changes(DOMAIN, project.settings)
    if not changes.any:
        return "nothing"
    if not act():
        return "killed"
    project.begin((*changes.models, *changes.tests), run_id)
    for name in in_order(changes):
        if not act():
            return "killed"
        project.build(name)
    for name in changes.tests:
        if not act():
            return "killed"
        if not project.passes(name):
            return "failed"
    if not act():
        return "killed"
    record_built(DOMAIN, run_id, changes, project.settings)
    return "done"


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What was loaded after its model was built, and before the end of the run.
@example([("run", {2: ("load", "a")}, None)])
@example([("load", "a"), ("run", {1: ("load", "a"), 7: ("withdraw", "a")}, None)])
@example([("run", {6: ("by_hand_in_part", "left")}, None)])
@given(st.lists(st.one_of(EVENT, RUN), max_size=12))
def test_skipping_leaves_the_tables_of_a_run_without_skipping(project: SmallProject, events: list) -> None:
    project.start_over()  # the examples share the fixture
    for number, event in enumerate(events):
        match event:
            case ("run", meanwhile, killed_after):
                run(project, number, meanwhile, killed_after)
            case _:
                happen(project, event)
    ended = run(project, len(events), {}, None)
    failing = [name for name in TESTS if not project.must_pass(name)]
    if ended == "failed":
        assert failing
        ended = run(project, len(events) + 1, {}, None)
        # What failed is never taken for up to date.
        assert ended == "failed"
    assert bool(failing) == (ended == "failed")
    assert project.stands() == project.must_stand()
    if ended != "failed":
        assert run(project, len(events) + 2, {}, None) == "nothing"


def test_only_the_branch_with_new_rows_is_built(project: SmallProject) -> None:
    assert run(project, 0, {}, None) in ("done", "failed")
    while run(project, 1, {}, None) == "failed":
        project.load("a")
    project.load("b")
    changes = find_changes(DOMAIN, project.settings)
    assert changes.models == ("agg", "fct", "right")
    assert changes.tests == ("test_agg", "test_both")
    assert not changes.everything
    assert str(changes) == "3 models to build, 2 tests to run: agg, fct, right; no new input for the others"


def test_a_staging_model_reads_the_loads_of_its_entity_alone(project: SmallProject) -> None:
    loads = node_id("a").replace(".a", ".file_loads")
    load_days = {"macro_sql": "from {{ source(name, 'file_loads') }}", "depends_on": {"macros": []}}

    def reads(code: str, *macros: str) -> str:
        node = {
            "name": "stg",
            "resource_type": "model",
            "tags": [],
            "raw_code": code,
            "depends_on": {"nodes": [loads], "macros": [f"macro.sluice.{name}" for name in macros]},
        }
        all_macros = {"macro.sluice.load_days": load_days, "macro.sluice.audit": load_days}
        metadata = {"adapter_type": "duckdb", "dbt_version": "1"}
        manifest = Manifest({"metadata": metadata, "nodes": {"stg": node}, "macros": all_macros})

        def of(*rows: str) -> str:
            raw = {loads: str(rows)} | {entity_id(loads, row[0]): row for row in rows}
            return fingerprints.fingerprints(manifest, raw, ["stg"])["stg"]

        changed = {
            name for name, rows in (("a", ("a2", "b1")), ("b", ("a1", "b2"))) if of("a1", "b1") != of(*rows)
        }
        return "".join(sorted(changed))

    raw = f"raw_{DOMAIN}"
    assert reads(f"{{{{ load_days('{raw}', 'a') }}}}", "load_days") == "a"
    assert reads(f"{{{{ load_days('{raw}', 'a') }}}} {{{{ load_days('{raw}', 'b') }}}}", "load_days") == "ab"
    # Whatever else reads the table, or may do so, depends on all of it.
    assert (
        reads(f"{{{{ load_days('{raw}', 'a') }}}} {{{{ load_days('{raw}', entity) }}}}", "load_days") == "ab"
    )
    assert (
        reads(f"{{{{ load_days('{raw}', 'a') }}}} from {{{{ source('{raw}', 'file_loads') }}}}", "load_days")
        == "ab"
    )
    assert reads(f"{{{{ load_days('{raw}', 'a') }}}} {{{{ audit() }}}}", "load_days", "audit") == "ab"
    assert reads("{{ audit() }}", "audit") == "ab"


def test_a_full_refresh_builds_everything(project: SmallProject) -> None:
    while run(project, 0, {}, None) == "failed":
        project.load("a")
    assert not find_changes(DOMAIN, project.settings).any
    changes = find_changes(DOMAIN, project.settings, everything=True)
    assert changes.everything
    assert len(changes.models) == len(MODELS)


def test_a_table_that_is_gone_is_built_again(project: SmallProject) -> None:
    while run(project, 0, {}, None) == "failed":
        project.load("a")
    project.warehouse.execute("drop table marts.fct")
    assert find_changes(DOMAIN, project.settings).models == ("agg", "fct")
