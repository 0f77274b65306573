"""New York's yellow taxi trips: one file a month, as CSV or Parquet.

The columns are those of the Taxi & Limousine Commission's trip records, in two spellings: the official one
(`VendorID`, `tpep_pickup_datetime`, `PULocationID`) and a renamed one (`vendor_id`, `pickup_datetime`).
"""

from ingestion.files.file_resource import FileResource

TRIPS = FileResource(
    domain="taxi",
    entity="trips",
    columns={
        "vendor_id": "Vendor that delivered the record; null if the record names none.",
        "pickup_datetime": "Time of the pick-up, New York local time.",
        "dropoff_datetime": "Time of the drop-off, New York local time.",
        "passenger_count": "Number of passengers, as the driver entered it.",
        "trip_distance": "Distance in miles, as the meter measured it.",
        "rate_code_id": "Rate code at the end of the trip.",
        "store_and_fwd_flag": "Y if the vehicle stored the record until it had a connection.",
        "pickup_location_id": "Zone of the pick-up.",
        "dropoff_location_id": "Zone of the drop-off.",
        "payment_type": "How the passenger paid.",
        "fare_amount": "Fare by time and distance, in US dollars.",
        "extra": "Surcharges for rush hours and nights, in US dollars.",
        "mta_tax": "Tax by the metered rate, in US dollars.",
        "tip_amount": "Tip by card, in US dollars; cash tips are not recorded.",
        "tolls_amount": "Tolls, in US dollars.",
        "total_amount": "Amount that the passenger paid, in US dollars, without cash tips.",
    },
    # Surcharges came one after the other, in 2015, 2019, 2021 and 2025.
    optional={
        "improvement_surcharge": "Surcharge per trip since 2015, in US dollars.",
        "congestion_surcharge": "Surcharge for trips in Manhattan since 2019, in US dollars.",
        "airport_fee": "Fee for pick-ups at two airports since 2021, in US dollars.",
        "cbd_congestion_fee": "Fee for trips to the congestion zone of Manhattan since 2025, in US dollars.",
    },
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
