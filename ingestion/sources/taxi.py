"""New York's yellow taxi trips: one file a month, as CSV or Parquet.

The columns are those of the Taxi & Limousine Commission's trip records, in two spellings: the official one
(`VendorID`, `tpep_pickup_datetime`, `PULocationID`) and a renamed one (`vendor_id`, `pickup_datetime`).
"""

from ingestion.files.file_resource import FileResource

TRIPS = FileResource(
    domain="taxi",
    entity="trips",
    columns=(
        "vendor_id",
        "pickup_datetime",
        "dropoff_datetime",
        "passenger_count",
        "trip_distance",
        "rate_code_id",
        "store_and_fwd_flag",
        "pickup_location_id",
        "dropoff_location_id",
        "payment_type",
        "fare_amount",
        "extra",
        "mta_tax",
        "tip_amount",
        "tolls_amount",
        "total_amount",
    ),
    # Surcharges came one after the other, in 2015, 2019, 2021 and 2025.
    optional=("improvement_surcharge", "congestion_surcharge", "airport_fee", "cbd_congestion_fee"),
    aliases={
        "tpep_pickup_datetime": "pickup_datetime",
        "tpep_dropoff_datetime": "dropoff_datetime",
        "pu_location_id": "pickup_location_id",
        "do_location_id": "dropoff_location_id",
    },
    pattern="yellow_tripdata_*",
    partition=r"[0-9]{4}-(0[1-9]|1[0-2])$",
)

RESOURCES = (TRIPS,)
