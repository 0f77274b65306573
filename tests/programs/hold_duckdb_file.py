"""Hold a DuckDB file open: PATH, read-only (True or False), SECONDS."""

import sys
import time

import duckdb

path, read_only, seconds = sys.argv[1:]
connection = duckdb.connect(path, read_only=read_only == "True")
print("held", flush=True)
time.sleep(float(seconds))
