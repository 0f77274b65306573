"""Load parsed files and API records into the raw tables."""
