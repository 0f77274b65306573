"""Small files like those that public data comes in, one of each form."""

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

START = date(2024, 1, 1)
NULL = "\\N"


def inspections(folder: Path) -> Path:
    """300 inspections as an office exports them: semicolons, Windows-1252, mixed case, blanks, pounds, dates by day first."""
    path = folder / "restaurant inspections.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Inspection ID", "Borough", "Inspected On", "Grade", "Fee"])
        for number in range(300):
            borough = ("Camden", "CAMDEN", " camden ", "Hackney", "")[number % 5]
            day = START + timedelta(days=number)
            writer.writerow(
                [1000 + number, borough, f"{day:%d/%m/%Y}", "ABC"[number % 3], f"£{number % 90}.50"]
            )
    return path


def airports(folder: Path) -> Path:
    """200 airports without a header line, with `\\N` for null."""
    path = folder / "airports.csv"
    rows = [
        f'{n},"Airport {n}","Country {n % 7}",{f"A{n:03}" if n % 9 else NULL},{n / 3:.4f},{-n / 2:.4f},{n * 10}'
        for n in range(1, 201)
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


def shop(folder: Path) -> Path:
    """A workbook with a sheet of 150 orders and one of 30 customers."""
    book = openpyxl.Workbook()
    orders, customers = book.worksheets[0], book.create_sheet("Customers")
    orders.title = "Orders"
    orders.append(["Order No", "Customer ID", "Ordered", "Amount"])
    for number in range(150):
        ordered = datetime(2024, 1 + number % 6, 1 + number % 28)
        orders.append([5000 + number, 1 + number % 30, ordered, round(5 + number / 7, 2)])
    customers.append(["Customer ID", "Full Name", "Segment"])
    for number in range(30):
        customers.append([number + 1, f"Person {number}", "retail" if number % 2 else "trade"])
    path = folder / "shop_2024.xlsx"
    book.save(path)
    return path


def events(folder: Path) -> Path:
    """250 events as nested JSON lines."""
    path = folder / "events.jsonl"
    records: Sequence[dict] = [
        {
            "id": f"e{number}",
            "type": "push" if number % 3 else "fork",
            "actor": {"id": number % 9, "login": f"user{number % 9}"},
            "created_at": f"2024-05-{1 + number % 28:02}T10:00:00Z",
            "size": number * 3,
        }
        for number in range(250)
    ]
    path.write_text("\n".join(map(json.dumps, records)))
    return path


def bike_trips(folder: Path) -> Path:
    """400 trips in typed Parquet."""
    path = folder / "bike_trips.parquet"
    numbers = range(400)
    columns = {
        "trip_id": pa.array(numbers, pa.int64()),
        "started_at": pa.array(
            [datetime(2024, 3, 1 + n % 28, 8, n % 60) for n in numbers], pa.timestamp("us")
        ),
        "minutes": pa.array([3 + n / 10 for n in numbers], pa.float64()),
        "is_member": pa.array([n % 3 == 0 for n in numbers], pa.bool_()),
        "fare": pa.array([None if n % 50 == 0 else 1 + n / 100 for n in numbers], pa.float64()),
    }
    pq.write_table(pa.table(columns), path)
    return path


def timetable(folder: Path) -> Path:
    """A zip with 60 stops, and 400 times at them."""
    path = folder / "timetable.zip"
    stops = "".join(f"S{n},Stop {n},{50 + n / 100:.4f},{8 + n / 100:.4f}\n" for n in range(60))
    times = "".join(f"T{n // 20},S{n % 60},{n % 20 + 1},{n % 7}\n" for n in range(400))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("timetable/stops.csv", f"stop_id,label,latitude,longitude\n{stops}")
        archive.writestr("timetable/stop_times.csv", f"trip_id,stop_id,stop_sequence,boardings\n{times}")
    return path


# Each with the marts that its domain gets, and their rows.
FILES: dict[str, tuple[Callable[[Path], Path], dict[str, int]]] = {
    "hygiene": (inspections, {"fct_restaurant_inspections": 300}),
    "flights": (airports, {"fct_airports": 200}),
    "store": (shop, {"fct_store_orders": 150, "dim_store_customers": 30}),
    "activity": (events, {"fct_events": 250}),
    "bikes": (bike_trips, {"fct_bike_trips": 400}),
    "transit": (timetable, {"fct_stop_times": 400, "dim_stops": 60}),
}
