"""A shop's daily sales: files that a store drops at any time, one line a product sold on a day."""

from ingestion.feeds import Feed

SALES = Feed(
    domain="sales",
    entity="sales",
    columns=("date", "store", "product_id", "quantity", "price"),
    moves_files=True,
)

FEEDS = (SALES,)
