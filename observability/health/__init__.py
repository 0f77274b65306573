"""The health of the pipelines: what is collected about them, and the alerts that it raises."""
