"""A shop's daily sales: files that may arrive at any time, with one line for each product sold on a day."""

from ingestion.files.file_resource import FileResource

SALES = FileResource(
    domain="sales",
    entity="sales",
    columns=("date", "store", "product_id", "quantity", "price"),
    day="date",
    moves_files=True,
)

RESOURCES = (SALES,)
