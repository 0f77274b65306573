"""Settings of the platform; `load` reads them. Nothing else reads the environment."""

from settings.deployment import Deployment
from settings.environments import PROJECT_DIR, SettingsError
from settings.people import AirflowAccess, Mail
from settings.settings import DBT_PROFILE, LIBRARY_OPTIONS, Settings, load

DBT_PROJECT_DIR = PROJECT_DIR / "dbt_project"
# What is published about the pipelines, beside the data of the domains.
PLATFORM = ("health", "overview")

__all__ = [
    "DBT_PROFILE",
    "DBT_PROJECT_DIR",
    "LIBRARY_OPTIONS",
    "PLATFORM",
    "PROJECT_DIR",
    "AirflowAccess",
    "Deployment",
    "Mail",
    "Settings",
    "SettingsError",
    "load",
]
