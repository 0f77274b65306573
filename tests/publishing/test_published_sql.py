"""Queries on what is published: one schema per domain, and nothing else within reach."""

import json
from pathlib import Path

import duckdb
import pytest

from cli.main import main
from publishing.published_sql import QueryError, run_query
from settings import Settings

ENDLESS = "select sum(a.range) from range(1000000000) as a, range(1000000000) as b"


@pytest.fixture
def published(settings: Settings) -> Settings:
    """Two published domains, one with a view."""
    for domain, amount in (("shop", 3), ("taxi", 5)):
        path = settings.published(domain)
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(path)) as file:
            file.execute("create schema marts")
            file.execute(f"create table marts.fct_things as select range as id from range({amount})")
            file.execute("create view marts.things as from marts.fct_things")
    return settings


def rows(sql: str, settings: Settings, **options: float) -> list[tuple]:
    with run_query(sql, settings, **options) as found:
        return found.fetchall()


def test_domains_can_be_joined(published: Settings) -> None:
    assert rows("select count(*) from shop.fct_things join taxi.things using (id)", published) == [(3,)]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("delete from shop.fct_things", "read-only"),
        ("create table shop.others (id int)", "read-only"),
        ("attach 'other.duckdb'", "read-only"),
        ("select 1; select 2", "one SELECT"),
        ("copy shop.fct_things to 'copy.csv'", "read-only"),
        ("set memory_limit = '10GB'", "read-only"),
        ("install httpfs", "read-only"),
        ("select * from read_csv('{file}')", "published tables only"),
        ("select * from '{file}'", "published tables only"),
        ("select * from read_text('{file}')", "published tables only"),
        ("select * from shop.nothing", "nothing"),
        ("selekt 1", "syntax error"),
        ("", "one SELECT"),
    ],
)
def test_what_does_not_read_published_tables_is_refused(
    published: Settings, tmp_path: Path, sql: str, reason: str
) -> None:
    file = tmp_path / "secrets.csv"
    file.write_text("a\n1\n")
    with pytest.raises(QueryError, match=reason):
        rows(sql.format(file=file), published)
    assert rows("select count(*) from shop.fct_things", published) == [(3,)]


def test_a_query_that_takes_too_long_is_interrupted(published: Settings) -> None:
    with pytest.raises(QueryError, match=r"took more than 0\.2 seconds"):
        rows(ENDLESS, published, seconds=0.2)


def test_a_query_that_needs_too_much_memory_is_refused(published: Settings) -> None:
    small = published.model_copy(update={"memory_limit": "20MB"})
    with pytest.raises(QueryError, match="memory"):
        rows("select list(range) from range(100000000)", small)


def test_the_verb_prints_a_table_csv_or_json(published: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    query = "select id, 'a,b' as text from shop.fct_things order by id limit 2"
    assert main(["sql", query]) == 0
    assert "│ a,b" in capsys.readouterr().out
    assert main(["sql", query, "--csv"]) == 0
    assert capsys.readouterr().out.splitlines() == ["id,text", '0,"a,b"', '1,"a,b"']
    assert main(["sql", query, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == {"id": 1, "text": "a,b"}


def test_a_refused_query_is_an_error_of_the_verb(
    published: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", "drop table shop.fct_things"]) == 2
    assert capsys.readouterr().err == "error: a query is one SELECT; published data is read-only\n"
