"""A shop's folders of sales files."""

from pathlib import Path

from tests.end_to_end.conftest import Checkout

LINE = "2024-03-01,north,1,2,9.99"
HEADER = "date,store,product_id,quantity,price"


def landing(shop: Checkout) -> list[str]:
    """Return the names in the landing folder, without the folder of failed files."""
    return sorted(path.name for path in shop.settings.landing("sales").glob("*.*"))


def archived(shop: Checkout) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in shop.settings.archive("sales").glob("20*/*")}


def drop(shop: Checkout, name: str, *lines: str) -> Path:
    """Write a file with these lines, and the file that says that it is complete."""
    path = shop.settings.landing("sales") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in (HEADER, *lines)))
    path.with_name(f"{name}.done").touch()
    return path
