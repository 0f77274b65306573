"""Arguments and options that several verbs have."""

import sys
from collections.abc import Sequence
from csv import writer as writer_of
from json import dumps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from common.suggestion import suggestion
from common.text import TEXT, printable

if TYPE_CHECKING:
    import duckdb

# Exit statuses.
PARTIAL, FAILED, INTERRUPTED = 1, 2, 130


def known(text: str, names: Sequence[str], what: str) -> str:
    """Return the text if it is one of the names.

    Raises:
        typer.BadParameter: it is not; the message has the name that is meant, or all.
    """
    if text in names:
        return text
    raise typer.BadParameter(f"unknown {what} {text!r}. {suggestion(text, names)}")


def domains() -> list[str]:
    """Return the domains; they are imported only by a verb that needs them."""
    from ingestion import registry

    return registry.domains()


def domain(text: str) -> str:
    """Return the text if it is a domain, also one whose source cannot be imported: what needs it says why."""
    from ingestion import registry

    return known(text, sorted({*domains(), *registry.broken_domains()}), "domain")


def complete_domain(incomplete: str) -> list[str]:
    """Return the domains that begin so, for the shell."""
    return [name for name in domains() if name.startswith(incomplete)]


def listed(text: str) -> list[str]:
    """Return the parts of a text with commas."""
    return [part for part in text.split(",") if part]


def answer(result: Any, text: str, *, as_json: bool) -> None:
    """Print the result of a verb, for machines or for people."""
    typer.echo(dumps(result) if as_json else printable(text, keep=TEXT))


def print_rows(rows: "duckdb.DuckDBPyRelation", *, csv: bool, json: bool) -> None:
    """Print the rows of a query, for machines or for people."""
    if csv:
        writer = writer_of(sys.stdout, lineterminator="\n")
        writer.writerow(rows.columns)
        while part := rows.fetchmany(10_000):
            writer.writerows(part)
    elif json:
        found = [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
        typer.echo(dumps(found, default=str))
    else:
        typer.echo(printable(str(rows), keep=TEXT))


def report_error(text: str) -> None:
    """Print what went wrong on standard error."""
    note(f"error: {text}")


def note(text: str) -> None:
    """Print a line on standard error, with an escape for each character that would steer the terminal."""
    typer.echo(printable(text, keep=TEXT), err=True)


Domain = Annotated[
    str, typer.Argument(metavar="DOMAIN", parser=domain, autocompletion=complete_domain, show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON.")]
Reason = Annotated[
    str, typer.Option(help="Why --force-publish; the version records it.", show_default=False, metavar="TEXT")
]
ForcePublish = Annotated[
    bool,
    typer.Option(
        "--force-publish", help="Publish even if too much is in quarantine or the data differs too much."
    ),
]
