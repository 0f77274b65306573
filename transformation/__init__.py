"""Run dbt and read what it leaves."""
