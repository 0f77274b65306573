"""A domain whose files are in a bucket: made from them, run by its DAG and from a shell."""

from pathlib import Path

import pytest

from bench.measuring import copy_checkout
from tests.end_to_end.conftest import Checkout
from tests.parsed import Parsed
from tests.servers.s3 import BUCKET, s3

pytestmark = pytest.mark.long

HEADER = "order_id,amount,day,customer_id"


def rows(month: int) -> str:
    lines = [f"{month}{n:02},{n}.50,2024-{month:02}-{n % 28 + 1:02},C{n % 9}" for n in range(40)]
    return "\n".join([HEADER, *lines, ""])


def test_an_object_that_cannot_be_read_does_not_keep_the_others_from_being_published(
    tmp_path: Path, project: Parsed
) -> None:
    checkout = Checkout(copy_checkout(tmp_path))
    project.put(checkout.settings)
    with s3() as bucket:
        checkout.variables = {**bucket.variables, "NO_PROXY": "*", "no_proxy": "*"}
        for month in (1, 2, 3):
            bucket.put(f"daily/2024/{month:02}/orders.csv", rows(month))
        made = checkout.run("new", "shop", f"s3://{BUCKET}/daily")
        assert made.returncode == 0, made.stdout + made.stderr
        bucket.put("daily/2024/04/orders.csv", rows(4), StorageClass="GLACIER")
        ran = checkout.run("airflow", "exec", "python", "dags/shop.py")
        published = checkout.settings.published("shop")
        count = "select count(*) from marts.fct_shop_orders"
        assert checkout.query(count, published) == [(120,)], ran.stdout + ran.stderr
        stages = (
            "select stage, status from raw_ops.stages where stage like '%\\_orders' escape '\\' order by 1"
        )
        assert checkout.query(stages) == [("fetch_orders", "failed"), ("ingest_orders", "success")]
        bucket.put("daily/2024/04/orders.csv", rows(4))
        again = checkout.run("run", "shop")
        assert again.returncode == 0, again.stdout + again.stderr
        assert checkout.query(count, published) == [(160,)]
