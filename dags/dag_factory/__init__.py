"""Makes the DAG of a domain from the steps of its run, and has what all DAGs share."""

from dag_factory.dags import domain_dag, platform_dag, run_locally
from dag_factory.pools import warehouse_writer
from dag_factory.tasks import published_asset

__all__ = ["domain_dag", "platform_dag", "published_asset", "run_locally", "warehouse_writer"]
