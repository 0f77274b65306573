"""How delivered files are written, where that differs from what their suffix says."""

import codecs
from dataclasses import dataclass

# Suffixes of delivered files; each may be a member of a .zip.
FORMS = (
    ".csv",
    ".csv.gz",
    ".tsv",
    ".tsv.gz",
    ".jsonl",
    ".jsonl.gz",
    ".ndjson",
    ".ndjson.gz",
    ".parquet",
    ".xlsx",
    ".zip",
)

# For people.
TAKEN = ".csv, .tsv or .jsonl (each also packed as .gz), .parquet, .xlsx or .zip"


@dataclass(frozen=True)
class FileFormat:
    """What a declaration says about the files of a resource.

    Attributes:
        delimiter: the character between the values of a text file; by default a tab in .tsv, otherwise a comma.
        encoding: the encoding of a text file, as Python names it. A file that begins with UTF-16's mark is read as such.
        header: the names of the columns of text files without a header line.
        sheet: the sheet of a workbook, or the pattern for the name of a member of a .zip; without it there must be one only.
    """

    delimiter: str = ""
    encoding: str = "utf-8"
    header: tuple[str, ...] = ()
    sheet: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one is invalid.
        """
        if len(self.delimiter) > 1 or self.delimiter in ('"', "\n", "\r", "\x1f") and self.delimiter:
            raise ValueError(f"delimiter {self.delimiter!r} is not one character that may separate values")
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise ValueError(f"encoding {self.encoding!r} is not known to Python") from error


def form_of_name(name: str) -> str | None:
    """Return the suffix of the form in which a file is delivered; None for a form that is not taken."""
    return next((form for form in FORMS if name.lower().endswith(form)), None)
