"""The declarations of all domains, when the module of one of them cannot be imported."""

from pathlib import Path

import pytest

from cli.main import main
from ingestion import registry, sources
from settings import Settings


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that cannot be imported, beside the others."""
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    return tmp_path / "catalogue.py"


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("RESOURCES = (FileResourc(domain='sales', entity='catalogue'),)\n", "sales"),
        ('DOMAIN = "shop"\nRESOURCES = (\n', "shop"),
        ("import no_such_library\n", "catalogue"),
    ],
    ids=["of a domain with other sources", "of no Python", "of a domain that it does not name"],
)
def test_a_source_that_cannot_be_imported_stops_its_own_domain_alone(
    broken: Path, text: str, domain: str
) -> None:
    others = [name for name in registry.domains() if name != domain]
    broken.write_text(text)
    assert registry.domains() == others
    for name in others:
        assert registry.resources_of(name)
    with pytest.raises(
        registry.BrokenSourceError, match=r"ingestion/sources/catalogue\.py cannot be imported: "
    ):
        registry.resources_of(domain)


def test_a_command_says_why_its_domain_cannot_be_loaded(
    broken: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    broken.write_text('SHOP = dict(domain="shop")\nimport no_such_library\n')
    assert main(["load", "shop"]) == 2
    assert (
        "error: ingestion/sources/catalogue.py cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_library'"
    ) in capsys.readouterr().err
