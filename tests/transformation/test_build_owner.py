"""The run that built a domain last publishes it."""

import pytest

from observability.metrics.record import run_result
from orchestration.run import publish
from publishing.errors import SupersededRunError
from settings import Settings
from tests.publishing.things import build, write_manifest
from transformation.build_owner import record_build_owner


@pytest.fixture
def things(settings: Settings) -> Settings:
    write_manifest(settings, meta={})
    build(settings)
    return settings


def test_a_run_does_not_publish_what_another_run_built(things: Settings) -> None:
    record_build_owner("things", "first", things)
    record_build_owner("things", "second", things)
    with pytest.raises(
        SupersededRunError, match="second has built things since this run did, and publishes it"
    ):
        publish("things", "first", things, force_publish=True)
    assert not things.published("things").exists()
    assert run_result("things", "first", things).status == "success"
    assert publish("things", "second", things, force_publish=True).rows["fct_things"] == 3


def test_a_run_publishes_what_it_built_last(things: Settings) -> None:
    for run in ("first", "second", "first"):
        record_build_owner("things", run, things)
    assert publish("things", "first", things, force_publish=True).rows["fct_things"] == 3
