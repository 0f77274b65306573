"""Maps of counts per grid cell, on outlines that are shipped with the dashboard: no tile comes from another server."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from dashboard.figures import HEIGHT, LABEL

OUTLINES = Path(__file__).parent / "outlines"
# Beyond, a cell is hardly larger than a pixel.
CELLS_PER_SIDE = 60
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LATITUDE = re.compile(r"(.*?)_?(?:latitude|lat)$", re.IGNORECASE)
_LONGITUDE = re.compile(r"(.*?)_?(?:longitude|long|lng|lon)$", re.IGNORECASE)
Point = Sequence[float]


class Box(NamedTuple):
    """A part of the earth, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, other: "Box") -> bool:
        west_and_south = self.west <= other.west and self.south <= other.south
        return west_and_south and other.east <= self.east and other.north <= self.north


# What new_york.json covers.
NEW_YORK = Box(-74.45, 40.3, -73.4, 41.05)


def coordinates(columns: Iterable[str]) -> tuple[str, str] | None:
    """Return the columns with latitude and longitude of the same thing, such as `pickup_lat` and `pickup_lon`."""
    names = list(columns)
    latitudes = {match[1]: name for name in names if (match := _LATITUDE.match(name))}
    longitudes = {match[1]: name for name in names if (match := _LONGITUDE.match(name))}
    shared = [prefix for prefix in latitudes if prefix in longitudes]
    return (latitudes[shared[0]], longitudes[shared[0]]) if shared else None


def cell_size(box: Box) -> float:
    """Return the side of a grid cell in degrees, so that a box has at most `CELLS_PER_SIDE` on each side."""
    side = max(box.east - box.west, box.north - box.south)
    return next((step for step in STEPS if side / step <= CELLS_PER_SIDE), STEPS[-1])


def density_map(
    cells: pd.DataFrame, size: float, value: str, *, title: str, details: Mapping[str, str]
) -> alt.LayerChart:
    """Return a map with a square per grid cell, coloured by its value.

    Args:
        cells: the `latitude` and `longitude` of the middle of each cell, and its values.
        size: the side of a cell in degrees.
        value: the column that colours the cells.
        title: what it counts.
        details: titles of the columns that are shown for the cell under the pointer.
    """
    box = _around(cells, size)
    outlines = alt.Data(values=[*_outlines(box)])
    land = alt.Chart(outlines).mark_geoshape(fill=LABEL, fillOpacity=0.18, stroke=LABEL, strokeOpacity=0.8)
    squares = [
        {"type": "Feature", "geometry": _square(row["latitude"], row["longitude"], size), "properties": row}
        for row in cells.astype(float).to_dict("records")
    ]
    shown = {"latitude": "Latitude (°)", "longitude": "Longitude (°)", **details}
    tooltip = [
        alt.Tooltip(
            f"properties.{name}:Q", title=text, format=".4~f" if name in ("latitude", "longitude") else ",.0f"
        )
        for name, text in shown.items()
    ]
    density = (
        alt.Chart(alt.Data(values=squares))
        .mark_geoshape(strokeWidth=0)
        .encode(
            color=alt.Color(
                f"properties.{value}:Q",
                title=title,
                scale=alt.Scale(scheme="viridis", type="sqrt"),
                legend=alt.Legend(format=",.0f", orient="bottom", gradientLength=150),
            ),
            tooltip=tooltip,
        )
    )
    return (land + density).project(type="mercator").properties(height=HEIGHT * 1.8)


def _around(cells: pd.DataFrame, size: float) -> Box:
    """Return the box of all cells, with a margin."""
    south, north = float(cells["latitude"].min()) - size, float(cells["latitude"].max()) + size
    west, east = float(cells["longitude"].min()) - size, float(cells["longitude"].max()) + size
    margin = max(north - south, east - west) * 0.05
    return Box(west - margin, max(south - margin, -85.0), east + margin, min(north + margin, 85.0))


def _square(latitude: float, longitude: float, size: float) -> dict[str, Any]:
    west, east = longitude - size / 2, longitude + size / 2
    south, north = latitude - size / 2, latitude + size / 2
    # Clockwise: the other way round, it would be the earth without the square.
    ring = [[west, south], [west, north], [east, north], [east, south], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _outlines(box: Box) -> Iterable[dict[str, Any]]:
    """Return the outlines within a box; a chart is as large as what it draws."""
    for feature in _features("new_york" if NEW_YORK.holds(box) else "countries"):
        polygons = [
            [ring] for polygon in feature["geometry"]["coordinates"] if (ring := _clipped(polygon[0], box))
        ]
        if polygons:
            yield {**feature, "geometry": {"type": "MultiPolygon", "coordinates": polygons}}


@cache
def _features(name: str) -> list[dict[str, Any]]:
    return json.loads((OUTLINES / f"{name}.json").read_text())["features"]


def _clipped(ring: Sequence[Point], box: Box) -> list[Point]:
    """Return the part of a ring that is within a box, by the algorithm of Sutherland and Hodgman; empty if none is."""
    points = [*ring[:-1]]
    for axis, limit, sign in ((0, box.west, 1), (0, box.east, -1), (1, box.south, 1), (1, box.north, -1)):
        kept: list[Point] = []
        for before, point in zip([*points[-1:], *points[:-1]], points, strict=True):
            is_in, was_in = ((each[axis] - limit) * sign >= 0 for each in (point, before))
            if is_in != was_in:
                part = (limit - before[axis]) / (point[axis] - before[axis])
                kept.append([before[side] + part * (point[side] - before[side]) for side in (0, 1)])
            if is_in:
                kept.append(point)
        points = kept
    return [*points, points[0]] if len(points) > 2 else []
