"""Measurements of the platform on this machine; the last results are in README.md."""
