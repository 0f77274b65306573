"""Characters that not every engine can store."""

# Unicode's replacement character.
NO_CHARACTER = "\ufffd"


def strip_nul(text: str) -> str:
    """Replace each NUL, which PostgreSQL rejects, so that raw tables are the same on all engines."""
    return text.replace("\0", NO_CHARACTER)
