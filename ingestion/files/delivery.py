"""What counts as a delivery in a landing folder, and whether it can be loaded as a file at all."""

import re
from pathlib import Path

from common.text import has_control_characters, is_encodable, printable
from ingestion.file_format import TAKEN, form_of_name

# A marker file, named after a file with this suffix, says that the file is complete.
DONE = ".done"
# The folder within the landing folder for files that cannot be loaded, each with a file that gives the reason.
FAILED = "failed"
# How programs name a file while they write it.
UNFINISHED = (
    ".part",
    ".partial",
    ".filepart",
    ".tmp",
    ".temp",
    ".crdownload",
    ".download",
    ".upload",
    ".uploading",
    ".incomplete",
    ".inprogress",
    ".swp",
    "~",
)


def is_delivery(path: Path) -> bool:
    """Whether a name in a landing folder is that of a delivery, in whatever form.

    Hidden files, markers and files that are being uploaded under a name of their own are not.
    """
    name = path.name.lower()
    return not name.startswith(".") and not name.endswith((DONE, *UNFINISHED)) and path.name != FAILED


def delivery_name(path: Path) -> str:
    """Return a delivery's name, with an escape for each character that cannot be printed."""
    return printable(path.name)


def order_of(name: str) -> tuple[list[str | int], str]:
    """Return the key that sorts names as people number them: `orders_9` before `orders_10`."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)], name


def find_fault(path: Path) -> str | None:
    """Return why a delivery is not a file with a usable name, in a form that is taken, and what to do; None if it is."""
    if not is_encodable(path.name):
        return "its name is not UTF-8; rename it"
    if has_control_characters(path.name):
        return "its name has a control character, such as a line end; rename it"
    if path.is_symlink():
        return "it is a link and not a file; deliver the file itself"
    if path.is_dir():
        return f"it is a folder and not a file; put its files into {path.parent}"
    if path.exists() and not path.is_file():
        return "it is a pipe, socket or device and not a file; deliver the file itself"
    if not form_of_name(path.name):
        form = f"files with the suffix {path.suffix}" if path.suffix else "files without a suffix"
        return f"{form} are not taken; deliver it as {TAKEN}"
    return None
