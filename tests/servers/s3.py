"""A server of the S3 API on loopback, and a bucket on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "deliveries"


class Bucket:
    """A bucket.

    Attributes:
        variables: what leads a client to the server.
    """

    def __init__(self, port: int) -> None:
        self.variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "key-of-tests",
            "AWS_SECRET_ACCESS_KEY": "secret-of-tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        with mock.patch.dict("os.environ", self.variables):
            self.client: Any = boto3.client("s3")
        self.client.create_bucket(Bucket=BUCKET)

    def put(self, key: str, text: str, **options: str) -> None:
        """Write an object."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=text.encode(), **options)

    def remove(self, key: str) -> None:
        """Remove an object."""
        self.client.delete_object(Bucket=BUCKET, Key=key)

    def clear(self) -> None:
        """Remove all objects."""
        for found in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            self.remove(found["Key"])


@contextmanager
def s3() -> Iterator[Bucket]:
    """A running server with an empty bucket, which is gone afterwards."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield Bucket(server.get_host_and_port()[1])
    finally:
        server.stop()
