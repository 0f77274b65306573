"""The columns of yellow taxi files and the choices of which sample trips are made."""

from samples.lines import weighted

# (official name, renamed, type in Parquet)
_COLUMNS = (
    ("VendorID", "vendor_id", "integer"),
    ("tpep_pickup_datetime", "pickup_datetime", "timestamp"),
    ("tpep_dropoff_datetime", "dropoff_datetime", "timestamp"),
    ("passenger_count", "passenger_count", "double"),
    ("trip_distance", "trip_distance", "double"),
    ("RatecodeID", "rate_code_id", "double"),
    ("store_and_fwd_flag", "store_and_fwd_flag", "text"),
    ("PULocationID", "pickup_location_id", "bigint"),
    ("DOLocationID", "dropoff_location_id", "bigint"),
    ("payment_type", "payment_type", "bigint"),
    ("fare_amount", "fare_amount", "double"),
    ("extra", "extra", "double"),
    ("mta_tax", "mta_tax", "double"),
    ("tip_amount", "tip_amount", "double"),
    ("tolls_amount", "tolls_amount", "double"),
    ("improvement_surcharge", "improvement_surcharge", "double"),
    ("total_amount", "total_amount", "double"),
    ("congestion_surcharge", "congestion_surcharge", "double"),
    ("airport_fee", "airport_fee", "double"),
)
_OFFICIAL, _RENAMED, TYPES = zip(*_COLUMNS, strict=True)

#: The two spellings in circulation. Before 2021 there was no airport_fee.
HEADERS = {"official": _OFFICIAL, "renamed": _RENAMED}

# Hour → percent of a day's pick-ups, from a real extract of 10,000 trips in January 2019.
_HOURS = (3, 2, 1, 1, 1, 1, 2, 4, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 7, 6, 6, 5, 5, 3)

# Mostly Midtown, the Upper East and the Upper West Side, and two airports (132, 138).
_BUSY_ZONES = (
    43, 48, 68, 79, 90, 100, 107, 132, 138, 140, 141, 142, 161, 162, 163, 164, 170, 186, 229, 230, 234, 236,
    237, 238, 239, 246, 249, 263,
)  # fmt: skip

#: Name → list of which each entry is equally likely.
CHOICES: dict[str, list] = {
    # Not to pick from: the second of the day at which each percent of its pick-ups begins, and its end.
    "percents": [
        *(3600 * hour + 3600 * k // share for hour, share in enumerate(_HOURS) for k in range(share)),
        86_400,
    ],
    "zones": [*weighted(dict.fromkeys(_BUSY_ZONES, 28)), *range(1, 266)],
    "vendors": weighted({"1": 3, "2": 7}),
    "passengers": weighted({"0": 2, "1": 72, "2": 15, "3": 4, "4": 2, "5": 3, "6": 2}),
    "rate_codes": weighted({"1": 378, "2": 13, "3": 2, "4": 1, "5": 3, "6": 1, "99": 2}),
    "payments": weighted({"1": 150, "2": 47, "3": 1, "4": 2}),
}
