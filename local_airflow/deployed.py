"""Options of an Airflow that runs as services: PostgreSQL, secrets from outside, Celery if there is a broker."""

from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from settings import AirflowAccess, Deployment, Settings

# Seconds after which the broker gives a task to another worker; no task takes as long. The death of a worker is
# detected long before, by its tasks' heartbeats.
VISIBILITY_TIMEOUT = 86_400


def deployed(settings: Settings, parallelism: int) -> tuple[AirflowAccess, dict[str, str | int]]:
    """Return the access to Airflow's API, and the options of the services.

    Args:
        settings: those of a deployment.
        parallelism: tasks of all DAGs that may run at once.
    """
    own = settings.deployment
    access = settings.airflow
    metadata = _opened(own.metadata_url, own.metadata_password).replace(
        "postgresql:", "postgresql+psycopg2:", 1
    )
    options: dict[str, str | int] = {
        "CORE__FERNET_KEY": own.fernet_key.get_secret_value(),
        "DATABASE__SQL_ALCHEMY_CONN": metadata,
        "API__PORT": urlsplit(access.url).port or 80,
        "API__BASE_URL": own.public_url,
        "API__SECRET_KEY": own.session_key.get_secret_value(),
        "API_AUTH__JWT_SECRET": own.jwt_secret.get_secret_value(),
    }
    if own.broker_url:
        options |= {
            "CORE__EXECUTOR": "CeleryExecutor",
            "CELERY__BROKER_URL": broker_url(own),
            "CELERY__RESULT_BACKEND": f"db+{metadata}",
            # One worker can hold every running task: otherwise watchers could take the slots of the build that they
            # watch. The pools limit what runs.
            "CELERY__WORKER_CONCURRENCY": parallelism,
            "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": VISIBILITY_TIMEOUT,
        }
    return access, options


def broker_url(deployment: Deployment) -> str:
    """Return the broker's URL with its password."""
    return _opened(deployment.broker_url, deployment.broker_password)


def _opened(url: str, password: SecretStr) -> str:
    user, at, place = urlsplit(url).netloc.rpartition("@")
    return url.replace(f"//{user}{at}", f"//{user}:{quote(password.get_secret_value(), safe='')}@", 1)
