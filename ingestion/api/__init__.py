"""Loads records of REST APIs into `raw_<domain>`: every record once, whatever happens on the way."""
