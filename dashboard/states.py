"""Colours, and the colour, shape and sign of each state of a run or a test."""

import altair as alt
import pandas as pd

# Distinguishable by colour-blind people, on white and on black; each series also has its own shape or dash.
PALETTE = ["#2F86D6", "#D9821A", "#16997A", "#C25FA0", "#D14D41", "#7F7F7F"]
# Colour, shape and sign per state of a run or a test.
STATES = {
    "success": (PALETTE[2], "circle", "✔"),
    "partial": (PALETTE[1], "diamond", "◆"),
    "failed": (PALETTE[4], "cross", "✖"),
    "upstream_failed": (PALETTE[3], "triangle-down", "▽"),
    "running": (PALETTE[0], "triangle-up", "▶"),
    "queued": (PALETTE[0], "triangle-up", "…"),
    "skipped": (PALETTE[5], "square", "■"),
}
# The least share of successful runs that is no failure, as the default rule for alerts.
GOOD_RATE = 0.9


def state_scales(states: pd.Series) -> dict[str, alt.Color | alt.Shape]:
    """Return colour and shape for the column `state`, limited to the states that occur in it."""
    domain = [state for state in STATES if (states == state).any()]
    colors, shapes = ([STATES[state][place] for state in domain] for place in (0, 1))
    return {
        "color": alt.Color("state:N", scale=alt.Scale(domain=domain, range=colors), title="State"),
        "shape": alt.Shape("state:N", scale=alt.Scale(domain=domain, range=shapes), title="State"),
    }


def rate_state(rate: float | None) -> str | None:
    """Return the state whose sign and colour a share of successful runs has."""
    if rate is None or pd.isna(rate):
        return None
    return "success" if rate == 1 else "partial" if rate >= GOOD_RATE else "failed"


def with_sign(state: str, text: str) -> str:
    """Return a text after the sign of a state, or after a question mark if the state has none."""
    return f"{STATES[state][2] if state in STATES else '?'} {text}"


def state_color(text: str) -> str:
    """Return the style of a state in a table, which may follow its sign."""
    state = str(text).rpartition(" ")[2]
    return f"color: {STATES[state][0]}" if state in STATES else ""
