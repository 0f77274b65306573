"""The words of which sample collisions are made; a number behind a word is its weight."""

from samples.lines import weighted

_COUNTS = ("PERSONS", "PEDESTRIANS", "CYCLIST", "MOTORIST")
_HEAD: tuple[str, ...] = (
    "CRASH DATE",
    "CRASH TIME",
    "BOROUGH",
    "ZIP CODE",
    "LATITUDE",
    "LONGITUDE",
    "LOCATION",
)
_HEAD += ("ON STREET NAME", "CROSS STREET NAME", "OFF STREET NAME")
_OFFICIAL = (
    *_HEAD,
    *(f"NUMBER OF {who} {what}" for who in _COUNTS for what in ("INJURED", "KILLED")),
    *(f"CONTRIBUTING FACTOR VEHICLE {k}" for k in range(1, 6)),
    "COLLISION_ID",
    *(f"VEHICLE TYPE CODE {k}" for k in range(1, 6)),
)
_RENAMED = (
    *_HEAD,
    *(f"{what} {who.removesuffix('S')}S" for who in _COUNTS for what in ("INJURED", "KILLED")),
    *(f"CONTRIBUTING FACTOR VEHICLE {k}" for k in range(1, 6)),
    "COLLISION_ID",
    *(f"VEHICLE TYPE {k}" for k in range(1, 6)),
)
HEADERS = {"official": ",".join(_OFFICIAL), "renamed": ",".join(_RENAMED).replace(" ", "_")}

#: SQL for LOCATION: the official export quotes "(latitude, longitude)", the other writes a WKT point.
LOCATIONS = {
    "official": {
        "location": """'"(' || latitude || ', ' || longitude || ')"'""",
        "no_location": """'"(0.0, 0.0)"'""",
    },
    "renamed": {
        "location": "'POINT (' || longitude || ' ' || latitude || ')'",
        "no_location": "'POINT (0 0)'",
    },
}

# borough: (weight of each of its places, {zip code: (latitude, longitude)}), near the middle of each area.
_BOROUGHS = {
    "BROOKLYN": (6, {"11201": (40.694, -73.990), "11207": (40.671, -73.894), "11212": (40.663, -73.913),
                     "11215": (40.663, -73.985), "11226": (40.646, -73.957), "11236": (40.639, -73.900)}),
    "QUEENS": (6, {"11101": (40.747, -73.940), "11354": (40.768, -73.827), "11373": (40.739, -73.878),
                   "11385": (40.701, -73.889), "11434": (40.676, -73.776)}),
    "MANHATTAN": (5, {"10001": (40.751, -73.997), "10016": (40.745, -73.978), "10036": (40.759, -73.990),
                      "10027": (40.811, -73.953), "10034": (40.867, -73.924)}),
    "BRONX": (4, {"10451": (40.820, -73.925), "10458": (40.862, -73.888), "10465": (40.822, -73.822),
                  "10467": (40.873, -73.871)}),
    "STATEN ISLAND": (2, {"10301": (40.627, -74.094), "10312": (40.545, -74.180)}),
}  # fmt: skip

_STREETS = (
    "BELT PARKWAY", "BROOKLYN QUEENS EXPRESSWAY", "LONG ISLAND EXPRESSWAY", "CROSS BRONX EXPY",
    "MAJOR DEEGAN EXPRESSWAY", "VAN WYCK EXPWY", "FDR DRIVE", "NORTHERN BOULEVARD", "ATLANTIC AVENUE",
    "BROADWAY", "LINDEN BOULEVARD", "FLATBUSH AVENUE", "EASTERN PARKWAY", "GRAND CONCOURSE", "3 AVENUE",
    "2 AVENUE", "EAST 59 STREET", "WEST 42 STREET", "QUEENS BOULEVARD", "HYLAN BOULEVARD", "OCEAN PARKWAY",
    "JAMAICA AVENUE", "FORDHAM ROAD", "BEDFORD AVENUE", "elliot place",
)  # fmt: skip

_FACTORS = {
    "Unspecified": 40, "Driver Inattention/Distraction": 22, "Following Too Closely": 8,
    "Failure to Yield Right-of-Way": 6, "Backing Unsafely": 6, "Passing or Lane Usage Improper": 4,
    "Unsafe Lane Changing": 3, "Turning Improperly": 3, "Traffic Control Disregarded": 2, "Unsafe Speed": 2,
    "Alcohol Involvement": 1, "Pavement Slippery": 1, "Illnes": 1, "": 1,
}  # fmt: skip

_VEHICLES = {
    "Sedan": 40, "Station Wagon/Sport Utility Vehicle": 28, "PASSENGER VEHICLE": 8,
    "SPORT UTILITY / STATION WAGON": 4, "Taxi": 3, "TAXI": 1, "Pick-up Truck": 3, "PICK-UP TRUCK": 1,
    "Box Truck": 2, "Bus": 1, "BUS": 1, "Bike": 2, "BICYCLE": 1, "E-Bike": 1, "Motorcycle": 1, "Van": 1,
    "SMALL COM VEH(4 TIRES) ": 1, "": 1,
}  # fmt: skip

# Crashes of 3,023 in each hour of the day, in tens.
_HOURS = (12, 6, 4, 3, 4, 5, 6, 9, 14, 16, 15, 15, 18, 17, 20, 18, 22, 22, 20, 15, 12, 12, 11, 9)


#: Name → list of which each entry is equally likely.
CHOICES: dict[str, list] = {
    "streets": list(_STREETS),
    "factors": weighted(_FACTORS),
    "vehicles": weighted(_VEHICLES),
    "hours": weighted({str(hour): weight for hour, weight in enumerate(_HOURS)}),
    "places": [
        {"borough": borough, "zip_code": zip_code, "latitude": latitude, "longitude": longitude}
        for borough, (weight, places) in _BOROUGHS.items()
        for zip_code, (latitude, longitude) in places.items()
        for _ in range(weight)
    ],
}
