"""Metrics of runs, the health of the pipelines, alerts and notifications. Knows nothing of Airflow but its REST API."""
