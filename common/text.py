"""Texts from outside, such as file names and errors of libraries, on a terminal and in logs."""

import re
import unicodedata

# Control characters, halves of surrogate pairs (bytes of a name that is not UTF-8), line separators, and the marks
# that reverse the direction of what follows.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# What the platform's own texts of several lines have.
TEXT = "\n\t"


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with an escape (`\x1b`) for each character that a terminal would obey or that cannot be encoded.

    Args:
        text: any text; a byte of a file name that is not UTF-8 becomes `\xe9`.
        keep: characters to leave as they are, such as line ends.
    """
    return _UNPRINTABLE.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its class if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def root_cause(error: BaseException) -> BaseException:
    """Return the error that an error was raised from, and that one, and so on."""
    while error.__cause__:
        error = error.__cause__
    return error


def has_control_characters(text: str) -> bool:
    """Whether a text has characters that end a line or that a terminal would obey."""
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text)


def is_encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8, which a file name of other bytes cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as Python keeps it in a name
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
