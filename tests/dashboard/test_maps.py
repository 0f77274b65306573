"""Maps without a browser: what is drawn, and from where."""

import json
from pathlib import Path

import pandas as pd
import pytest

from dashboard.maps import (
    CELLS_PER_SIDE,
    Box,
    _outlines,
    cell_size,
    coordinates,
    density_map,
)
from dashboard.saved_queries import SavedQueryError, saved_queries, saved_query

CELLS = pd.DataFrame({"latitude": [40.6, 40.7], "longitude": [-74.1, -73.9], "rows": [1, 4]})


def area(ring: list[list[float]]) -> float:
    """The area within a ring, negative if it is clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:], strict=False)) / 2


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["id", "latitude", "longitude"], ("latitude", "longitude")),
        (["pickup_lon", "dropoff_lat", "pickup_lat", "dropoff_lon"], ("dropoff_lat", "dropoff_lon")),
        (["Lat", "Lng"], ("Lat", "Lng")),
        (["latitude", "pickup_longitude"], None),
        (["flat", "belong"], None),
        (["plan", "salon"], None),
    ],
)
def test_coordinates_are_two_columns_of_one_thing(
    columns: list[str], expected: tuple[str, str] | None
) -> None:
    assert coordinates(columns) == expected


@pytest.mark.parametrize("side", [0.0, 0.3, 0.7, 12.0, 300.0])
def test_a_map_has_a_bounded_number_of_cells(side: float) -> None:
    assert side / cell_size(Box(0, 0, side, side / 2)) <= CELLS_PER_SIDE


@pytest.mark.parametrize(
    "box", [Box(-74.3, 40.5, -73.6, 40.95), Box(-10, 36, 30, 60), Box(-179, -80, 179, 80)]
)
def test_outlines_are_cut_to_the_box_and_stay_clockwise(box: Box) -> None:
    rings = [polygon[0] for each in _outlines(box) for polygon in each["geometry"]["coordinates"]]
    assert len(rings) > 5
    for ring in rings:
        assert ring[0] == ring[-1]
        assert area(ring) <= 0
        for longitude, latitude in ring:
            assert box.west - 1e-9 <= longitude <= box.east + 1e-9
            assert box.south - 1e-9 <= latitude <= box.north + 1e-9


def test_a_map_of_the_city_has_its_boroughs_and_any_other_the_countries() -> None:
    city = {feature["properties"]["name"] for feature in _outlines(Box(-74.3, 40.45, -73.65, 40.95))}
    assert {"Bronx", "Kings", "New York", "Queens", "Richmond"} <= city
    assert "United States of America" in {
        each["properties"]["name"] for each in _outlines(Box(-90, 30, -70, 45))
    }


def test_a_map_names_no_address() -> None:
    chart = density_map(CELLS, 0.01, "rows", title="Rows", details={"rows": "Rows"}).to_dict()
    chart.pop("$schema")
    assert "http" not in json.dumps(chart)
    assert '"url"' not in json.dumps(chart)
    # A square per cell, clockwise: the other way round it would be the rest of the earth.
    squares = chart["layer"][1]["data"]["values"]
    assert len(squares) == len(CELLS)
    assert all(area(square["geometry"]["coordinates"][0]) == pytest.approx(-0.0001) for square in squares)


def test_every_saved_query_says_what_it_shows() -> None:
    found = saved_queries()
    assert len(found) >= 5
    assert all(query.title and query.description.endswith(".") for query in found.values())


def test_a_saved_query_without_a_title_or_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "bare.sql").write_text("select 1")
    (tmp_path / "other.sql").write_text("-- A\n-- B.\nselect 1")
    with pytest.raises(SavedQueryError, match=r"bare.sql must begin with two comments"):
        saved_query("bare", folder)
    for name in ("../other", "none"):
        with pytest.raises(SavedQueryError, match="There are: bare|Did you mean"):
            saved_query(name, folder)
