"""All sample APIs as one server on loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from samples.apis.collisions import CollisionsApi
from samples.apis.faults import Faults, FaultyAnswers
from samples.apis.model import ModelApi
from samples.apis.news import ARTICLES, NewsApi
from samples.apis.products import PRODUCTS, ProductsApi
from samples.apis.variables import APP_TOKEN, MODEL_KEY, NEWS_KEY, TOKEN


class SampleApis:
    """The sample APIs and the faults of each: `faults` of the shop, `news_faults`, `model_faults` and `city_faults`.

    Args:
        products: number of products.
        articles: number of articles.
        crashes: number of crashes.
    """

    def __init__(self, products: int = PRODUCTS, articles: int = ARTICLES, crashes: int = 0) -> None:
        self.products = ProductsApi(TOKEN, products)
        self.news = NewsApi(NEWS_KEY, articles)
        self.model = ModelApi(MODEL_KEY)
        self.collisions = CollisionsApi(APP_TOKEN, crashes)
        self.faults, self.news_faults, self.model_faults = Faults(), Faults(), Faults()
        self.city_faults = Faults()
        self.app = FastAPI()
        self.app.mount("/shop", FaultyAnswers(self.products.app, self.faults))
        self.app.mount("/news", FaultyAnswers(self.news.app, self.news_faults))
        self.app.mount("/openai/v1", FaultyAnswers(self.model.app, self.model_faults))
        self.app.mount("/city", FaultyAnswers(self.collisions.app, self.city_faults))


def listen(port: int = 0) -> tuple[socket.socket, str]:
    """A socket on a port of loopback (0 for a free one), and its URL."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    return listening, f"http://127.0.0.1:{listening.getsockname()[1]}"


def server_of(apis: SampleApis) -> uvicorn.Server:
    """A server, to be started with `run(sockets=[…])`."""
    return uvicorn.Server(uvicorn.Config(apis.app, log_level="critical", timeout_graceful_shutdown=0))


@contextmanager
def serving(apis: SampleApis) -> Iterator[str]:
    """Run a server on a free port until the block ends; yields its URL."""
    listening, base = listen()
    server = server_of(apis)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield base
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
