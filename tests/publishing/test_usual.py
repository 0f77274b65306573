"""What is usual of a domain is learned from its versions, and what is not is said with the usual range."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bench.usual_values import judged
from publishing.errors import PublishStoppedError
from publishing.manage import versions
from publishing.publish import publish
from publishing.table_stats import Partition, TableStats
from publishing.usual import LEARNS_FROM, OBSERVATIONS, find_unusual, observe, remembered
from settings import Settings
from settings import settings as project_settings
from tests.publishing.things import execute

COLUMNS = {"id": "BIGINT", "day": "DATE", "amount": "DECIMAL(18,2)"}
MONDAY = date(2024, 1, 1)


def table(rows: int, amount: float, day: date, nulls: int = 0) -> dict[str, TableStats]:
    whole = Partition(rows, rows, {"amount": nulls}, {"amount": amount}, {"day": day.isoformat()})
    return {"fct_things": TableStats(COLUMNS, {"": whole})}


def after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)


def history(days: int) -> tuple[list, dict[str, TableStats]]:
    """Return what so many days brought, about 100 rows each and 200 on Mondays, and the tables after them."""
    observations: list = []
    rows, old = 0, table(1, 1.0, MONDAY - timedelta(days=1))
    for number in range(days):
        day = MONDAY + timedelta(days=number)
        rows += (200 if day.weekday() == 0 else 100) + number % 3
        new = table(rows, rows * 2.0, day)
        observations = remembered(observations, observe(old, new, after(day)))
        old = new
    return observations, old


def said(
    observations: list, old: dict[str, TableStats], new: dict[str, TableStats], at: datetime
) -> list[str]:
    return [str(each) for each in find_unusual(observations, observe(old, new, at))]


def test_a_day_with_half_of_its_rows_is_said_with_what_is_usual() -> None:
    observations, old = history(50)
    day = MONDAY + timedelta(days=50)
    rows = old["fct_things"].rows
    assert said(observations, old, table(rows + 101, rows * 2.0 + 202, day), after(day)) == []
    half = said(observations, old, table(rows + 50, rows * 2.0 + 100, day), after(day))
    assert half == [
        "fct_things: 50 more rows a day; usual 87 to 115",
        "fct_things: 100 more a day in amount; usual 175 to 229",
    ]


def test_a_monday_is_compared_with_mondays() -> None:
    observations, old = history(49)
    day = MONDAY + timedelta(days=49)
    rows = old["fct_things"].rows
    assert said(observations, old, table(rows + 201, rows * 2.0 + 402, day), after(day)) == []
    assert len(said(observations, old, table(rows + 101, rows * 2.0 + 202, day), after(day))) == 2


def test_the_files_of_several_days_are_shared_among_them() -> None:
    observations, old = history(50)
    day = MONDAY + timedelta(days=52)
    rows = old["fct_things"].rows
    assert said(observations, old, table(rows + 302, rows * 2.0 + 604, day), after(day)) == []


def test_nulls_and_a_source_that_stands_still_are_said() -> None:
    observations, old = history(50)
    day = MONDAY + timedelta(days=50)
    rows = old["fct_things"].rows
    nulls = said(observations, old, table(rows + 101, rows * 2.0 + 202, day, nulls=20), after(day))
    assert nulls == ["fct_things: 19.8% of the new rows without amount; usual 0.0% to 2.2%"]
    late = MONDAY + timedelta(days=53)
    still = said(observations, old, table(rows + 101, rows * 2.0 + 202, day), after(late))
    assert still == ["fct_things: 4 days since the newest day; usual 0 to 2.1"]


def test_one_incident_in_the_past_does_not_widen_what_is_usual() -> None:
    observations, old = history(50)
    observations[30]["tables"]["fct_things"]["rows"] = 10_000
    day = MONDAY + timedelta(days=50)
    rows = old["fct_things"].rows
    assert said(observations, old, table(rows + 50, rows * 2.0 + 202, day), after(day)) == [
        "fct_things: 50 more rows a day; usual 87 to 115"
    ]


def test_with_few_versions_nothing_is_said() -> None:
    observations, old = history(LEARNS_FROM - 1)
    rows = old["fct_things"].rows
    day = MONDAY + timedelta(days=LEARNS_FROM - 1)
    assert said(observations, old, table(rows + 10_000, rows * 9.0, day), after(day)) == []


def test_a_year_with_known_incidents() -> None:
    found, false, quiet = judged(1)
    hits = {what: hit for what, (hit, of) in found.items()}
    assert hits.pop("half of the rows") >= 2
    assert hits == dict.fromkeys(hits, 4)
    assert false / quiet < 0.03


def _deliver(settings: Settings, rows: int) -> None:
    execute(
        settings,
        "insert into marts.fct_things select 1000000 + range + (select count(*) from marts.fct_things),"
        f" date '2022-03-01', 1.0, 'word' from range({rows})",
    )


@pytest.mark.parametrize("setting", ["report", "stop"])
def test_publish_reports_or_stops(
    months: Settings, monkeypatch: pytest.MonkeyPatch, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(project_settings.Settings, "unusual_values", setting)
    publish("things", months)
    assert "learning" in str(versions("things", months))
    for number in range(LEARNS_FROM):
        _deliver(months, 100 + number % 3)
        assert publish("things", months).unusual == ()
    assert "learning" not in str(versions("things", months)).splitlines()[-1]
    _deliver(months, 5000)
    message = "fct_things: 5,000 more rows a day; usual "
    if setting == "stop":
        with pytest.raises(PublishStoppedError, match=f"unusual: {message}"):
            publish("things", months)
        done = publish("things", months, accept=True, accepted_by="Ann", reason="the sale")
        assert any(each.startswith(message) for each in done.accepted)
        facts = versions("things", months).versions[-1].facts
        assert (facts["accepted_by"], facts["reason"]) == ("Ann", "the sale")
        assert "limits exceeded, accepted by Ann; " in str(versions("things", months))
    else:
        done = publish("things", months)
        assert done.accepted == ()
    assert done.unusual[0].startswith(message)
    listed = versions("things", months)
    assert len(listed.versions[-1].facts[OBSERVATIONS]) == LEARNS_FROM + 1
    assert OBSERVATIONS not in listed.to_dict()["versions"][-1]
