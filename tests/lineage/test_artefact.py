"""`lineage.json` after builds that build all models, some of them, or none."""

import json
from pathlib import Path
from typing import Any

import pytest

from lineage.artefact import read_lineage, write_lineage
from settings import Settings


def node(name: str, sql: str | None, *parents: str) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "schema": "marts",
        "alias": name,
        "tags": ["things"],
        "columns": {},
        "config": {},
        "depends_on": {"nodes": [f"model.{each}" for each in parents]},
        **({"compiled_code": sql} if sql else {}),
    }


def build(
    settings: Settings, target: Path, **models: dict[str, Any]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Write the manifest of a build, and the lineage; return the sources of each column of each table."""
    source = {
        "resource_type": "source",
        "schema": "raw",
        "identifier": "a",
        "tags": [],
        "columns": {"b": {}, "c": {}},
    }
    content = {
        "metadata": {"adapter_type": "duckdb"},
        "nodes": {f"model.{name}": model for name, model in models.items()},
        "sources": {"model.a": source},
    }
    target.mkdir(exist_ok=True)
    (target / "manifest.json").write_text(json.dumps(content))
    write_lineage(target, "things", settings)
    tables = read_lineage(settings.lineage("things")).tables
    return {
        name: {column: values.sources for column, values in table.columns.items()}
        for name, table in tables.items()
        if table.kind == "model"
    }


def test_what_a_build_leaves_out_keeps_its_lineage(settings: Settings, tmp_path: Path) -> None:
    one, two = node("one", "select b as x from raw.a", "a"), node("two", "select x from marts.one", "one")
    both = {"marts.one": {"x": ("raw.a.b",)}, "marts.two": {"x": ("marts.one.x",)}}
    assert build(settings, tmp_path / "t", one=one, two=two) == both
    # The retry of one model; its table is read by the other one, which is not built again.
    changed = node("one", "select c as x from raw.a", "a")
    found = build(settings, tmp_path / "t", one=changed, two=node("two", None, "one"))
    assert found == both | {"marts.one": {"x": ("raw.a.c",)}}
    # Data tests alone.
    before = settings.lineage("things").read_bytes()
    build(settings, tmp_path / "t", one=node("one", None, "a"), two=node("two", None, "one"))
    assert settings.lineage("things").read_bytes() == before
    # A model that is no longer there.
    assert build(settings, tmp_path / "t", one=one) == {"marts.one": {"x": ("raw.a.b",)}}


def test_a_shared_dimension_that_another_domain_has_built_is_known(
    settings: Settings, tmp_path: Path
) -> None:
    one = node("one", "select b as x from raw.a", "a")
    build(settings, tmp_path / "t", one=one)
    settings.lineage("things").rename(settings.lineage("others"))
    found = build(
        settings,
        tmp_path / "t",
        one=node("one", None, "a"),
        two=node("two", "select x from marts.one", "one"),
    )
    assert found == {"marts.one": {"x": ("raw.a.b",)}, "marts.two": {"x": ("marts.one.x",)}}


def test_a_model_that_cannot_be_read_is_named_and_stops_nothing(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = node("one", "select no_such_column from raw.a join marts.b using (b)", "a")
    found = build(settings, tmp_path / "t", one=one, two=node("two", "select c from raw.a", "a"))
    assert found == {"marts.two": {"c": ("raw.a.c",)}}
    assert "The lineage of marts.one" in caplog.text
    assert "no_such_column" in caplog.text


@pytest.mark.parametrize("damaged", ["{", '{"format": 0}', '{"format": 1}'])
def test_a_file_that_cannot_be_read_is_written_again(
    settings: Settings, tmp_path: Path, damaged: str
) -> None:
    settings.lineage("things").parent.mkdir(parents=True)
    settings.lineage("things").write_text(damaged)
    found = build(settings, tmp_path / "t", one=node("one", "select c from raw.a", "a"))
    assert found == {"marts.one": {"c": ("raw.a.c",)}}


def test_without_a_manifest_nothing_fails(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lineage(tmp_path, "things", settings)
    assert "The lineage of things is not written" in caplog.text
