"""What becomes of characters that not every engine can store."""

# What Unicode has for a character that could not be kept.
NO_CHARACTER = "\ufffd"


def strip_nul(text: str) -> str:
    """The text with a replacement character for each NUL, which PostgreSQL refuses: one raw table, whatever the engine."""
    return text.replace("\0", NO_CHARACTER)
