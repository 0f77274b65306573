"""The domains for which there are samples."""

from samples import collisions, ecommerce, sales, taxi

#: Each module offers `add_options(parser)` and `deliver(folder, options) -> Delivery`.
DOMAINS = {"collisions": collisions, "ecommerce": ecommerce, "sales": sales, "taxi": taxi}
