"""Filters and states without a browser."""

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.filters import usual_days
from dashboard.states import STATES, rate_state, state_color, with_sign
from dashboard.views.overview import Fact, _fact


def days(**numbers: int) -> pd.DataFrame:
    return pd.DataFrame({"day": [pd.Timestamp(day[1:]) for day in numbers], "trips": numbers.values()})


@pytest.mark.parametrize(
    ("data", "first", "last"),
    [
        # A clock that is wrong by years, and the end of a night.
        (days(d20020101=1, d20231231=3, d20240101=900, d20240102=1000, d20240103=950, d20240401=2), 1, 3),
        # A weak day between others, and few of all.
        (days(d20240101=900, d20240102=1, d20240103=950), 1, 3),
        (days(d20240101=1, d20240102=3, d20240103=1), 1, 3),
        (days(d20240102=7), 2, 2),
    ],
)
def test_stray_days_before_and_after_the_others_are_not_usual(
    data: pd.DataFrame, first: int, last: int
) -> None:
    assert usual_days(data) == (date(2024, 1, first), date(2024, 1, last))


def dates_page() -> None:
    import pandas as pd
    import streamlit as st

    from dashboard.filters import period

    span = pd.Series({"first": pd.Timestamp("2024-01-01"), "last": pd.Timestamp(st.session_state.last_day)})
    first, last = period(st.container(), span)
    st.write(f"{first} {last}")


def test_dates_follow_a_publication_with_more_days_unless_some_are_chosen(
    page_in_process: Callable[[Callable[[], None]], AppTest],
) -> None:
    page = page_in_process(dates_page)
    page.session_state.last_day = "2024-01-31"
    assert page.run().markdown[0].value == "2024-01-01 2024-01-31"
    page.session_state.last_day = "2024-02-29"
    assert page.run().markdown[0].value == "2024-01-01 2024-02-29"
    page.date_input[0].set_value((date(2024, 1, 5), date(2024, 1, 9))).run()
    page.session_state.last_day = "2024-03-31"
    assert page.run().markdown[0].value == "2024-01-05 2024-01-09"
    assert not page.exception


@pytest.mark.parametrize(
    ("rate", "state"),
    [(1.0, "success"), (0.95, "partial"), (0.9, "partial"), (0.38, "failed"), (0.0, "failed"), (None, None)],
)
def test_a_share_of_successes_has_the_colour_and_sign_of_how_good_it_is(
    rate: float | None, state: str | None
) -> None:
    assert rate_state(rate) == state
    shown = _fact(Fact("Success rate", "38%", "of 8 runs", state))
    assert (
        (STATES[state][0] in shown and with_sign(state, "38%") in shown)
        if state
        else "color: inherit" in shown
    )


def test_a_state_in_a_table_has_its_colour() -> None:
    assert state_color(with_sign("failed", "failed")) == f"color: {STATES['failed'][0]}"
    assert state_color("never seen") == ""


def test_what_a_run_was_called_cannot_break_the_card() -> None:
    shown = _fact(Fact("Last run", "<b>", '"><script>', "failed"))
    assert "<script>" not in shown
    assert "&lt;b&gt;" in shown
