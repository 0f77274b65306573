"""dlt takes its configuration from environment variables alone, see `[project.entry-points.dlt]` in pyproject.toml.

It would also look for TOML files beside the working directory and for secrets of Streamlit, and import Streamlit for
that, which takes half a second of each command.
"""

from typing import Any

from dlt.common.configuration.plugins import hookimpl
from dlt.common.configuration.providers import ConfigProvider, EnvironProvider
from dlt.common.runtime.run_context import RunContext


class EnvironmentAlone(RunContext):
    """dlt's own run context, with one source of configuration."""

    def initial_providers(self) -> list[ConfigProvider]:
        return [EnvironProvider()]


@hookimpl(specname="plug_run_context")
def run_context(run_dir: str | None, runtime_kwargs: dict[str, Any] | None) -> EnvironmentAlone:
    """Return the context; dlt calls it with its own directory."""
    return EnvironmentAlone(run_dir)
