"""Makes the DAG of a domain from the steps of its run, and has what all DAGs share."""

from dag_factory.dags import domain_dag, platform_dag, run_locally
from dag_factory.lineage import publish_outlets, published_asset
from dag_factory.pools import warehouse_writer

__all__ = [
    "domain_dag",
    "platform_dag",
    "publish_outlets",
    "published_asset",
    "run_locally",
    "warehouse_writer",
]
