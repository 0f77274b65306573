"""A domain's whole way without Airflow: ingest, build and test, publish."""

from ingestion.load import describe, load_domain
from operations.dbt import run_dbt, selectors
from operations.publish import Publication, publish
from settings import Settings


def elt(domain: str, settings: Settings, *, full_refresh: bool = False, rebuild: str = "") -> Publication:
    """Run the three stages one after another; the first that fails stops the rest.

    Args:
        domain: the pipeline.
        settings: which data folder and environment.
        full_refresh: build incremental models anew.
        rebuild: months to build anew, as for the dbt variable of that name.

    Raises:
        FilesFailedError, DbtError, PublishError, WarehouseBusyError: see the stages.
    """
    print(describe(load_domain(domain, settings)), flush=True)
    options = ["--full-refresh"] if full_refresh else []
    variables = ["--vars", f"{{rebuild: '{rebuild}'}}"] if rebuild else []
    run_dbt(["build", "--select", *selectors(domain), *options, *variables], settings)
    return publish(domain, settings)
