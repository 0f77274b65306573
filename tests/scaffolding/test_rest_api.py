"""Resources of a REST API as the source of a new domain, read from a server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.measuring import copy_checkout
from cli.main import main
from ingestion.extract.rest_api import RestApiError, rest_api
from scaffolding.errors import ScaffoldingError
from scaffolding.rest_api import read_resources
from settings import PROJECT_DIR
from tests.ingestion.documented import documented_configuration
from tests.servers.fake_api import Request, serving

KEY = "s3cret/key-of-tests"
DAYS = [f"2024-05-{number:02}" for number in range(1, 31)]
AGENTS = [{"agent_id": f"A{number}", "team": "north" if number % 2 else "south"} for number in range(1, 9)]
TICKETS = [
    {
        "ticket_id": number,
        "agent_id": f"A{number % 8 + 1}",
        "minutes": number % 50,
        "opened_on": DAYS[number % 30],
        "updated_at": f"2024-06-01T{number // 60:02}:{number % 60:02}:00Z",
    }
    for number in range(1, 121)
]
AGENTS_RESOURCE = """\
  - name: agents
    endpoint: {path: agents, data_selector: agents, paginator: single_page}
"""


def answer(request: Request) -> tuple[int, dict]:
    """Tickets in pages of 50 from a time on, and all agents at once, for those who have the key."""
    if request.headers["Authorization"] != f"Bearer {KEY}":
        return 401, {"reason": f"{request.headers['Authorization']} is not known"}
    if request.path == "/agents":
        return 200, {"agents": AGENTS}
    page = int(request.get("page", "1"))
    found = [ticket for ticket in TICKETS if str(ticket["updated_at"]) >= request.get("since", "")]
    return 200, {"tickets": found[50 * page - 50 : 50 * page], "pages": -(-len(found) // 50)}


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The configuration of the documentation, with a second resource, for a server on loopback."""
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "*")
    monkeypatch.setenv("SLUICE_DESK_API_KEY", KEY)
    path = tmp_path / "given.yml"
    path.write_text(documented_configuration() + AGENTS_RESOURCE)
    with serving(answer) as url:
        monkeypatch.setenv("SLUICE_DESK_API_URL", f"{url}/")
        yield path


def test_a_new_domain_reads_the_resources(
    configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout = copy_checkout(tmp_path / "checkout")
    monkeypatch.setattr("settings.PROJECT_DIR", checkout)
    monkeypatch.setattr("transformation.dbt.ensure_manifest", lambda settings: None)
    assert main(["new", "desk", "--rest-api", str(configuration)]) == 0
    shown = capsys.readouterr().out
    assert "`tickets` is read by what is new in updated_at" in shown
    assert "refers   agent_id to agents.agent_id (100.0%)" in shown
    declared = (checkout / "ingestion/sources/desk.py").read_text()
    assert 'source=rest_api("desk.yml", "tickets", cursor="updated_at"),' in declared
    assert 'source=rest_api("desk.yml", "agents"),' in declared
    assert (checkout / "ingestion/sources/desk.yml").read_text() == configuration.read_text()
    assert KEY not in shown + declared
    assert main(["remove", "desk", "--yes"]) == 0
    assert not list((checkout / "ingestion/sources").glob("desk*"))


def test_an_extraction_reads_from_the_highest_cursor_on(configuration: Path) -> None:
    tickets = rest_api(str(configuration), "tickets", cursor="updated_at")
    assert len(list(tickets.rows(None))) == 120
    latest = [row["ticket_id"] for row in tickets.rows("2024-06-01T01:55:00Z")]
    assert latest == [115, 116, 117, 118, 119, 120]
    assert list(rest_api(str(configuration), "agents").rows(None)) == AGENTS


def test_an_error_has_no_value_of_a_variable(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_DESK_API_KEY", "a-wrong-key")
    with pytest.raises(RestApiError, match="401") as refused:
        list(rest_api(str(configuration), "agents").rows(None))
    assert "a-wrong-key" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("${SLUICE_DESK_API_KEY}", "${SLUICE_DESK_KEY}", "SLUICE_DESK_KEY is not set: "),
        ("base_url: ${SLUICE_DESK_API_URL}", "url: x", "it needs client.base_url and resources"),
        ("resources:", "resources: [", "given.yml cannot be read"),
        ("name: tickets", "title: tickets", "each with a name"),
        ("data_selector: tickets", "data_selector: nothing", "the resource tickets has no row"),
    ],
)
def test_a_configuration_that_says_nothing_is_refused(
    configuration: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = configuration.read_text()
    assert old in text
    configuration.write_text(text.replace(old, new))
    with pytest.raises(ScaffoldingError) as refused:
        read_resources(configuration, tmp_path / "samples")
    assert message in str(refused.value)
    assert KEY not in str(refused.value)


def test_a_declaration_must_fit_its_configuration(configuration: Path) -> None:
    with pytest.raises(RestApiError, match="has no resource 'ticket'; it has tickets, agents"):
        list(rest_api(str(configuration), "ticket").rows(None))
    with pytest.raises(RestApiError, match="is '' in its declaration, and 'updated_at' in "):
        list(rest_api(str(configuration), "tickets").rows(None))
    with pytest.raises(RestApiError, match=r"nowhere.yml cannot be read"):
        list(rest_api("nowhere.yml", "tickets").rows(None))
    assert not (PROJECT_DIR / "ingestion" / "sources" / "nowhere.yml").exists()
