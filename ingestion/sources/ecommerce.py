"""A shop: its orders, and the change logs of its customers and products."""

from ingestion.files.file_resource import FileResource

ORDERS = FileResource(
    domain="ecommerce",
    entity="orders",
    columns=("order_id", "customer_id", "product_id", "quantity", "unit_price", "order_date", "status"),
    pattern="orders*",
    day="order_date",
)

CUSTOMERS = FileResource(
    domain="ecommerce",
    entity="customers",
    columns=("customer_id", "name", "email", "region", "updated_at"),
    pattern="customers*",
    keeps_history=True,
)

PRODUCTS = FileResource(
    domain="ecommerce",
    entity="products",
    columns=("product_id", "product_name", "category", "unit_cost"),
    pattern="products*",
    keeps_history=True,
)

RESOURCES = (ORDERS, CUSTOMERS, PRODUCTS)
