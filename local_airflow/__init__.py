"""Airflow on this machine: start it, run DAGs on it, show their progress, stop it."""
