"""A run that is still going at its deadline is told, by Airflow, while it goes on."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.conftest import Checkout
from tests.receivers import Webhook, webhook

pytestmark = pytest.mark.slow


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def test_a_run_that_goes_on_too_long_is_told_once(checkout: Checkout, hook: Webhook) -> None:
    rules = checkout.path / "operations" / "health" / "alerts.yml"
    promised = "deadline_hours: 6 "
    assert promised in rules.read_text()
    rules.write_text(rules.read_text().replace(promised, "deadline_hours: 0.001 "))
    checkout.variables |= hook.variables()
    assert checkout.run("samples", "collisions", "--rows", "1000").returncode == 0
    done = checkout.run("runtime", "run", "collisions")
    assert done.returncode == 0, done.stdout + done.stderr
    assert hook.texts == [
        "collisions alert: deadline_hours (dev)\na run has not ended 0.001 hours after it was queued"
    ]
