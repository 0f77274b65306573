"""Files of every form, from `sluice new` to published marts without an edit."""

from pathlib import Path

import pytest

from bench.measuring import copy_checkout
from tests.end_to_end.conftest import Checkout
from tests.parsed import Parsed
from tests.scaffolding.public_files import FILES

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Checkout:
    """A checkout of its own."""
    checkout = Checkout(copy_checkout(tmp_path_factory.mktemp("checkout")))
    project.put(checkout.settings)
    return checkout


@pytest.mark.parametrize("domain", FILES)
def test_a_file_is_published_as_it_is(checkout: Checkout, tmp_path: Path, domain: str) -> None:
    write, marts = FILES[domain]
    for command in (["new", domain, str(write(tmp_path)), "--deliver"], ["run", domain]):
        done = checkout.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    published = checkout.settings.published(domain)
    for mart, rows in marts.items():
        assert checkout.query(f"select count(*) from marts.{mart}", published) == [(rows,)]
    lost = f"select * from marts.audit_{domain}__row_counts where rows_read <> rows_clean"
    assert checkout.query(lost, published) == []
