"""Queries that are kept in `queries/`, for the page SQL and `sluice sql --saved`.

A file begins with two comments, its title and one sentence on what it shows; its name without `.sql` is the query's.
"""

from dataclasses import dataclass
from pathlib import Path

from common.suggestion import suggestion

QUERIES = Path(__file__).parent / "queries"
COMMENT = "-- "


class SavedQueryError(LookupError):
    """A saved query does not exist, or has no title; the message names its file."""


@dataclass(frozen=True)
class SavedQuery:
    """A query with its title and what it shows."""

    name: str
    title: str
    description: str
    sql: str


def saved_queries(folder: Path = QUERIES) -> dict[str, SavedQuery]:
    """Return all saved queries by name, in the order of their titles.

    Raises:
        SavedQueryError: a file does not begin with its title and description.
    """
    found = [_read(path) for path in folder.glob("*.sql")]
    return {query.name: query for query in sorted(found, key=lambda query: query.title)}


def saved_query(name: str, folder: Path = QUERIES) -> SavedQuery:
    """Return a saved query.

    Raises:
        SavedQueryError: there is no such query, or it has no title.
    """
    path = folder / f"{name}.sql"
    if not path.is_file() or path.parent != folder:
        names = sorted(each.stem for each in folder.glob("*.sql"))
        raise SavedQueryError(f"no saved query is called {name!r}. {suggestion(name, names)}")
    return _read(path)


def _read(path: Path) -> SavedQuery:
    lines = path.read_text().strip().splitlines()
    if len(lines) < 3 or not all(line.startswith(COMMENT) for line in lines[:2]):
        raise SavedQueryError(f"{path} must begin with two comments: `-- Title`, and `-- What it shows.`")
    title, description = (line.removeprefix(COMMENT).strip() for line in lines[:2])
    return SavedQuery(path.stem, title, description, "\n".join(lines[2:]))
