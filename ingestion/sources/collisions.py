"""New York's motor vehicle collisions: one CSV row a crash.

The columns are those of NYC Open Data, "Motor Vehicle Collisions - Crashes" (h9gi-nx95). A second
header with other names for thirteen of them is in circulation; both load. So do the field names of the
city's API, which are lower case. Its names of two streets are crossed: `off_street_name` there has what the
download calls CROSS STREET NAME.
"""

from ingestion.files.file_resource import FileResource

_PARTIES = {
    "persons": "persons",
    "pedestrians": "pedestrians",
    "cyclist": "cyclists",
    "motorist": "motorists",
}

CRASHES = FileResource(
    domain="collisions",
    entity="crashes",
    day="crash_date",
    columns=(
        "crash_date",
        "crash_time",
        "borough",
        "zip_code",
        "latitude",
        "longitude",
        "location",
        "on_street_name",
        "cross_street_name",
        "off_street_name",
        *(f"number_of_{party}_{harm}" for party in _PARTIES for harm in ("injured", "killed")),
        *(f"contributing_factor_vehicle_{position}" for position in range(1, 6)),
        "collision_id",
        *(f"vehicle_type_code_{position}" for position in range(1, 6)),
    ),
    aliases={
        **{
            f"{harm}_{plural}": f"number_of_{party}_{harm}"
            for party, plural in _PARTIES.items()
            for harm in ("injured", "killed")
        },
        **{f"vehicle_type_{position}": f"vehicle_type_code_{position}" for position in range(1, 6)},
    },
    exact_aliases={"off_street_name": "cross_street_name", "cross_street_name": "off_street_name"},
)

RESOURCES = (CRASHES,)
