"""Loads records of REST APIs into `raw_<domain>`: every record once, whatever interrupts the load."""
