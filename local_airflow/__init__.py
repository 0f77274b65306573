"""A real Airflow on this machine: starts it, runs DAGs on it, shows their progress, stops it."""
