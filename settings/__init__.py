"""Settings of the platform; `load` reads them. Nothing else reads the environment."""

from settings.environments import PROJECT_DIR, SettingsError
from settings.services import AirflowAccess, Deployment, OpenLineage
from settings.settings import DBT_PROFILE, LIBRARY_OPTIONS, Settings, load

DBT_PROJECT_DIR = PROJECT_DIR / "dbt_project"
# Published beside the domains: the health of the pipelines, and an overview of all domains.
PLATFORM = ("health", "overview")

__all__ = [
    "DBT_PROFILE",
    "DBT_PROJECT_DIR",
    "LIBRARY_OPTIONS",
    "PLATFORM",
    "PROJECT_DIR",
    "AirflowAccess",
    "Deployment",
    "OpenLineage",
    "Settings",
    "SettingsError",
    "load",
]
