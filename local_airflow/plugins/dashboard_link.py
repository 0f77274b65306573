"""Browse → Pipeline health in Airflow's UI: the dashboard, which `make dashboard` serves."""

from airflow.plugins_manager import AirflowPlugin

import settings


class DashboardLink(AirflowPlugin):
    """A link beside the one to dbt's documentation."""

    name = "sluice_dashboard"
    external_views = [
        {"name": "Pipeline health", "category": "Browse", "href": f"{settings.load().dashboard_url}/runs"}
    ]
