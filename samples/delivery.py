"""What every sample generator reports about the input it wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """Input files of one domain and what must become of their lines.

    The counts are what was asked for and written, not what a reader found. Every line meets one fate:
    `lines = clean + superseded + quarantined + rejected`.
    """

    domain: str
    files: tuple[Path, ...]
    #: Data lines over all files; headers are not counted.
    lines: int
    #: Kind of defect → number of lines that have it.
    defects: Mapping[str, int]
    #: Earlier versions of a row that a later line replaces.
    superseded: int
    #: Lines with all their columns, of which at least one value is unusable.
    quarantined: int
    #: Lines that cannot be split into columns.
    rejected: int

    @property
    def clean(self) -> int:
        """Lines that must arrive in the clean model."""
        return self.lines - self.superseded - self.quarantined - self.rejected

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for `--json`."""
        return {
            "domain": self.domain,
            "files": [str(path) for path in self.files],
            "lines": self.lines,
            "clean": self.clean,
            "superseded": self.superseded,
            "quarantined": self.quarantined,
            "rejected": self.rejected,
            "defects": dict(self.defects),
        }

    def __str__(self) -> str:
        """One line for people."""
        where = (
            self.files[0] if len(self.files) == 1 else f"{len(self.files)} files in {self.files[0].parent}"
        )
        fates = ", ".join(
            f"{getattr(self, f):,} {f}" for f in ("clean", "superseded", "quarantined", "rejected")
        )
        return f"{self.domain}: {self.lines:,} lines ({fates}) in {where}"
