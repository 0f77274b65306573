"""A shop: its orders, and the change logs of its customers and products."""

from ingestion.files.file_resource import FileResource

ORDERS = FileResource(
    domain="ecommerce",
    entity="orders",
    columns={
        "order_id": "Id of the order.",
        "customer_id": "Id of the customer who ordered.",
        "product_id": "Id of the ordered product.",
        "quantity": "Number of pieces.",
        "unit_price": "Price per piece in the shop's currency.",
        "order_date": "Day of the order, year-month-day.",
        "status": "placed, shipped, delivered, returned or cancelled.",
    },
    personal=("customer_id",),
    pattern="orders*",
    day="order_date",
)

CUSTOMERS = FileResource(
    domain="ecommerce",
    entity="customers",
    columns={
        "customer_id": "Id of the customer.",
        "name": "Name of the customer.",
        "email": "E-mail address.",
        "region": "Region of the customer.",
        "updated_at": "Time of the last change; may be empty.",
    },
    personal=("customer_id", "name", "email"),
    pattern="customers*",
    keeps_history=True,
)

PRODUCTS = FileResource(
    domain="ecommerce",
    entity="products",
    columns={
        "product_id": "Id of the product.",
        "product_name": "Name of the product.",
        "category": "Category of the product.",
        "unit_cost": "Cost per piece in the shop's currency.",
    },
    pattern="products*",
    keeps_history=True,
)

RESOURCES = (ORDERS, CUSTOMERS, PRODUCTS)
