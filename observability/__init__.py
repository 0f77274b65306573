"""What happens around a run: building, publishing and telling. Knows nothing of Airflow."""
