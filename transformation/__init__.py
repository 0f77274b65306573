"""Run dbt and read its manifest."""
