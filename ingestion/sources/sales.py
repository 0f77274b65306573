"""A shop's daily sales: files that may arrive at any time, with one line for each product sold on a day."""

from ingestion.files.file_resource import FileResource

SALES = FileResource(
    domain="sales",
    entity="sales",
    columns={
        "date": "Day of the sale, year-month-day.",
        "store": "Name of the store.",
        "product_id": "Number of the product.",
        "quantity": "Number of pieces.",
        "price": "Price per piece as charged, in the shop's currency.",
    },
    day="date",
    moves_files=True,
)

RESOURCES = (SALES,)
