"""dlt reads its configuration from environment variables alone."""

import dlt


def test_no_other_source_of_configuration_is_looked_for() -> None:
    providers = dlt.current.run_context().initial_providers()
    assert [provider.name for provider in providers] == ["Environment Variables"]
