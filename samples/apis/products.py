"""A shop's API of products: ids from 1, prices around 25 and 35, in the order of their last change."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Header, HTTPException, Response

PRODUCTS = 200
CATEGORIES = ("Electronics", "Clothing", "Home", "Toys", "Books")
KINDS = {
    "Electronics": ("Headphones", "Charger", "Speaker", "Keyboard"),
    "Clothing": ("Shirt", "Scarf", "Jacket", "Socks"),
    "Home": ("Lamp", "Kettle", "Cushion", "Vase"),
    "Toys": ("Puzzle", "Kite", "Robot", "Blocks"),
    "Books": ("Novel", "Atlas", "Cookbook", "Diary"),
}
COLOURS = ("Red", "Blue", "Green", "White", "Black", "Yellow", "Grey")
# On the borders 25 and 35, and on both sides of each.
PRICES = (4.99, 12.5, 19.0, 24.99, 25.0, 25.01, 29.9, 34.99, 35.0, 35.01, 49.95, 120.0)
# The first import brought this many at one time, which is more than a page.
IMPORTED = 120
IMPORTED_AT = datetime(2024, 1, 1, tzinfo=UTC)
MOST_A_PAGE = 500


def product(number: int) -> dict[str, Any]:
    """One product in its first version."""
    category = CATEGORIES[(number - 1) % len(CATEGORIES)]
    kind = KINDS[category][number // len(CATEGORIES) % len(KINDS[category])]
    changed = IMPORTED_AT + timedelta(hours=max(number - IMPORTED, 0))
    return {
        "id": number,
        "name": f"{COLOURS[number % len(COLOURS)]} {kind} {number}",
        "price": PRICES[number * 7 % len(PRICES)],
        "category": category,
        "updated_at": _written(changed),
    }


class ProductsApi:
    """The products and their API; `app` serves it.

    Args:
        token: the bearer token that requests must send.
        products: how many there are.
    """

    def __init__(self, token: str, products: int = PRODUCTS) -> None:
        self.products: list[Any] = [product(number) for number in range(1, products + 1)]
        self._token = token
        self._now = IMPORTED_AT + timedelta(days=60)
        self.app = FastAPI()
        self.app.get("/products")(self._answer)

    def change(self, number: int, **fields: Any) -> None:
        """Change a product, or add it; its change is then the latest one."""
        self._now += timedelta(minutes=1)
        found = next((each for each in self.products if self._id(each) == number), {"id": number})
        self.products = [each for each in self.products if each is not found]
        self.products.append({**found, "updated_at": _written(self._now), **fields})

    def _answer(
        self,
        updated_since: str = "",
        page: int = 1,
        page_size: int = 50,
        authorization: str = Header(default=""),
    ) -> Response:
        if authorization != f"Bearer {self._token}":
            raise HTTPException(401, "a token is needed, or another one")
        size = min(page_size, MOST_A_PAGE)
        found = sorted(
            (each for each in self.products if self._changed(each) >= updated_since), key=self._changed
        )
        body = {"items": found[(page - 1) * size : page * size], "page": page, "total": len(found)}
        return Response(json.dumps(body), media_type="application/json")

    @staticmethod
    def _id(record: Any) -> Any:
        return record.get("id") if isinstance(record, dict) else None

    @staticmethod
    def _changed(record: Any) -> str:
        """The time of the last change; a record without one comes last, in every answer."""
        changed = record.get("updated_at") if isinstance(record, dict) else None
        return changed if isinstance(changed, str) else "~"


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
