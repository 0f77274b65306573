"""The forms in which files are delivered; everything after parsing is the same for all of them."""

from ingestion.formats.delivered import Delivered, open_delivered, parts_of
from ingestion.formats.parsed_file import ParsedFile, RejectedLine, RowShape, UnreadableFileError

__all__ = [
    "Delivered",
    "ParsedFile",
    "RejectedLine",
    "RowShape",
    "UnreadableFileError",
    "open_delivered",
    "parts_of",
]
