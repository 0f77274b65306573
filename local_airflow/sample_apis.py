"""The sample APIs as a process beside Airflow, for runs without a network."""

import re
import time
from collections.abc import Sequence

from ingestion.api.settings import ApiSettings
from local_airflow.processes import AirflowError, Component
from samples.apis.variables import variables

COMPONENT = ("sample-apis", ["-m", "cli", "samples", "serve", "--brief"])
START_SECONDS = 60


def await_variables(server: Component, apis: Sequence[ApiSettings]) -> dict[str, str]:
    """The variables with which these APIs are asked, once the server has said where it is.

    Args:
        server: started as `COMPONENT` says.
        apis: those that it stands in for.

    Raises:
        AirflowError: it did not start.
    """
    wanted = [name for api in apis for name in (api.url_variable, api.key_variable)]
    deadline = time.monotonic() + START_SECONDS
    while True:
        if said := re.search(r"^# serving (\S+)$", server.log.read_text(), re.MULTILINE):
            found = variables(said[1])
            return {name: found[name] for name in wanted}
        server.check()
        if time.monotonic() > deadline:
            raise AirflowError(f"the sample APIs did not start within {START_SECONDS} s: {server.log}")
        time.sleep(0.1)
