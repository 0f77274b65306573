"""Load finished Parquet files into the raw tables with dlt."""
