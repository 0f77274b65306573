"""A server on loopback as the source of the taxi's months, and what is published of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.end_to_end.conftest import Checkout


def months_before(moment: datetime, count: int) -> list[str]:
    """Return the last months whose runs are due: a month's run is due on the second of the next month, at six."""
    last = (moment - timedelta(days=1, hours=6)).replace(day=1) - timedelta(days=1)
    months = [last]
    while len(months) < count:
        months.insert(0, months[0].replace(day=1) - timedelta(days=1))
    return [month.strftime("%Y-%m") for month in months]


@contextmanager
def serving_months(
    checkout: Checkout, first: str, handler: Callable[..., BaseHTTPRequestHandler]
) -> Iterator[None]:
    """Answer requests for months by a handler, and have the checkout ask for them from the first one on."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    checkout.variables = {
        "SLUICE_DOWNLOAD_URL_TAXI": f"http://127.0.0.1:{server.server_port}/yellow_tripdata_{{month}}.csv.gz",
        "SLUICE_START_TAXI": f"{first}-01",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    yield
    server.shutdown()
    server.server_close()


def facts(checkout: Checkout, month: str, *, others: bool = False) -> list[tuple]:
    """Return the published rows of the fact, of one month or of all others."""
    where = f"(file_month = '{month}-01') <> {others}"
    path = checkout.settings.published("taxi")
    return checkout.query(f"select * from marts.fct_trips where {where} order by all", path)
