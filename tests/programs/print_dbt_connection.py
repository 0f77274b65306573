"""Parse the project with dbt and print how it connects to the warehouse, as JSON."""

import json

from dbt.adapters.factory import FACTORY
from dbt.cli.main import dbtRunner

assert dbtRunner().invoke(["--quiet", "parse"]).success
print(json.dumps(dict(FACTORY.adapters["duckdb"].config.credentials.connection_info())))
