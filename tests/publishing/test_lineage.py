"""Each version keeps the lineage of the build that it was made of."""

import logging

import pytest

from lineage.artefact import LineageError, to_json
from lineage.graph import MODEL, Column, Lineage, Table
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
