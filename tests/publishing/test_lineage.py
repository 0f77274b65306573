"""Each version keeps the lineage of the build that it was made of."""

import json
import logging

import pytest

from cli.main import main
from lineage.artefact import LineageError, to_json
from lineage.graph import MODEL, RAW, Column, Lineage, Reader, Table
from publishing.lineage import all_published, published_lineage
from publishing.manage import prune
from publishing.promote import promote
from publishing.publish import publish
from settings import Settings
from tests.publishing.things import build, write_manifest

COLUMNS = {
    "fct_things": ["id"],
    "dim_dates": ["date_day"],
    "audit_things__row_counts": ["entity", "source_file", "rows_read", "rows_quarantined"],
}

UPSTREAM = """\
marts.fct_things.id = b + 1
  raw.a.b
rows are decided by
  raw.a: c
delivered by
  landing/things/a
"""
DOWNSTREAM = """\
raw.a.c
  nothing
decides the rows of
  marts.fct_things
pages and reports
  Page Things
"""


def write_lineage(settings: Settings, source: str, columns: dict[str, list[str]] = COLUMNS) -> Lineage:
    tables = {
        f"marts.{table}": Table(f"marts.{table}", MODEL, {name: Column((source,)) for name in names})
        for table, names in columns.items()
    }
    lineage = Lineage(tables)
    settings.lineage("things").parent.mkdir(parents=True, exist_ok=True)
    settings.lineage("things").write_text(to_json(lineage, "things"))
    return lineage


@pytest.fixture
def built(settings: Settings) -> Settings:
    write_manifest(settings)
    build(settings)
    return settings


def test_versions_have_their_own_lineage_which_goes_with_them(built: Settings) -> None:
    first = write_lineage(built, "raw.a.b")
    one = publish("things", built).version
    second = write_lineage(built, "raw.a.c")
    other = publish("things", built).version
    assert published_lineage("things", built, one).tables == first.tables
    assert published_lineage("things", built).tables == all_published(built).tables == second.tables
    prune("things", 1, built)
    folder = built.published("things").with_suffix("")
    assert sorted(path.name for path in folder.glob("*.lineage.json")) == [f"{other}.lineage.json"]


def test_a_promoted_version_has_its_lineage(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lineage = write_lineage(built, "raw.a.b")
    publish("things", built)
    target = built.model_copy(update={"data_dir": built.data_dir / "other", "env": "prod"})
    promote("things", built, target)
    assert published_lineage("things", target).tables == lineage.tables


@pytest.mark.parametrize("columns", [{}, COLUMNS | {"fct_things": ["id", "other"]}])
def test_a_version_never_has_the_lineage_of_other_tables(
    built: Settings, columns: dict[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    write_lineage(built, "raw.a.b", columns)
    with caplog.at_level(logging.WARNING):
        publish("things", built)
    assert "that of the last build is not of" in caplog.text
    assert "fct_things" in caplog.text
    with pytest.raises(LineageError, match="has no lineage"):
        published_lineage("things", built)


def test_what_is_not_published_has_none(settings: Settings) -> None:
    with pytest.raises(LineageError, match="nothing of things is published"):
        published_lineage("things", settings)


def test_the_command_tells_values_from_rows(built: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lineage", "fct_things"]) == 2
    assert "nothing is published that has a lineage" in capsys.readouterr().err
    lineage = write_lineage(built, "raw.a.b")
    tables = {
        **lineage.tables,
        "raw.a": Table("raw.a", RAW, {"b": Column(), "c": Column()}, reads=("landing/things/a",)),
        "marts.fct_things": Table(
            "marts.fct_things", MODEL, {"id": Column(("raw.a.b",), "b + 1")}, ("raw.a.c",), ("raw.a",)
        ),
    }
    readers = {"page_things": Reader("page_things", "page", "Page Things", ("marts.fct_things",))}
    built.lineage("things").write_text(to_json(Lineage(tables, readers), "things"))
    publish("things", built)
    assert main(["lineage", "fct_things.id"]) == 0
    assert capsys.readouterr().out == UPSTREAM
    assert main(["lineage", "raw.a.c", "--downstream"]) == 0
    assert capsys.readouterr().out == DOWNSTREAM
    assert main(["lineage", "raw.a.b", "--downstream", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["direct"] == [
        "marts.audit_things__row_counts.entity",
        "marts.audit_things__row_counts.rows_quarantined",
        "marts.audit_things__row_counts.rows_read",
        "marts.audit_things__row_counts.source_file",
        "marts.dim_dates.date_day",
        "marts.fct_things.id",
    ]
    assert main(["lineage", "fct_thing.id"]) == 2
    assert "did you mean marts.fct_things.id" in capsys.readouterr().err
