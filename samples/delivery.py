"""What every sample generator reports about the input it wrote."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ExpectedStatus:
    """What must become of a line with some kind of defect."""

    name: str
    #: The rules of the clean model that it breaks, if it is quarantined.
    rules: tuple[str, ...] = ()


SUPERSEDED = ExpectedStatus("superseded")
REJECTED = ExpectedStatus("rejected")


def quarantined_by(*rules: str) -> ExpectedStatus:
    """The line is quarantined with the names of these rules."""
    return ExpectedStatus("quarantined", rules)


@dataclass(frozen=True)
class Part:
    """Input files of one entity and what must become of their lines."""

    entity: str
    files: tuple[Path, ...]
    #: Data lines over all files; headers are not counted.
    lines: int
    #: Kind of defect → number of lines that have it.
    defects: Mapping[str, int]
    #: Kind of defect → what must become of a line that has it.
    expected: Mapping[str, ExpectedStatus]

    @property
    def superseded(self) -> int:
        """Earlier versions of a row that a later line replaces."""
        return self._meeting("superseded")

    @property
    def quarantined(self) -> int:
        """Lines with all their columns, of which at least one value is unusable."""
        return self._meeting("quarantined")

    @property
    def rejected(self) -> int:
        """Lines that cannot be split into columns."""
        return self._meeting("rejected")

    @property
    def clean(self) -> int:
        """Lines that must arrive in the clean model."""
        return self.lines - self.superseded - self.quarantined - self.rejected

    @property
    def by_rule(self) -> Mapping[str, int]:
        """Rule → quarantined lines that break it; a line that breaks two rules is counted under both."""
        count: Counter[str] = Counter()
        for kind, lines in self.defects.items():
            count.update(dict.fromkeys(self.expected[kind].rules, lines))
        return dict(+count)

    def _meeting(self, row_status: str) -> int:
        return sum(lines for kind, lines in self.defects.items() if self.expected[kind].name == row_status)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for `--json`."""
        return _counts(self) | {"by_rule": self.by_rule}


@dataclass(frozen=True)
class Delivery:
    """Input files of one domain and what must become of their lines, entity by entity and in all.

    The counts are what was asked for and written, not what a reader found. Every line meets one row_status:
    `lines = clean + superseded + quarantined + rejected`.
    """

    domain: str
    parts: tuple[Part, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, entity by entity."""
        return tuple(path for part in self.parts for path in part.files)

    @property
    def lines(self) -> int:
        """Data lines over all files."""
        return sum(part.lines for part in self.parts)

    @property
    def superseded(self) -> int:
        """Earlier versions of a row that a later line replaces."""
        return sum(part.superseded for part in self.parts)

    @property
    def quarantined(self) -> int:
        """Lines with all their columns, of which at least one value is unusable."""
        return sum(part.quarantined for part in self.parts)

    @property
    def rejected(self) -> int:
        """Lines that cannot be split into columns."""
        return sum(part.rejected for part in self.parts)

    @property
    def clean(self) -> int:
        """Lines that must arrive in the clean models."""
        return sum(part.clean for part in self.parts)

    @property
    def defects(self) -> Mapping[str, int]:
        """Kind of defect → number of lines that have it; no kind occurs in two entities."""
        return {kind: lines for part in self.parts for kind, lines in part.defects.items()}

    def part(self, entity: str) -> Part:
        """What was written of one entity; a KeyError if nothing was."""
        return {part.entity: part for part in self.parts}[entity]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for `--json`."""
        entities = {part.entity: part.as_dict() for part in self.parts}
        return {"domain": self.domain} | _counts(self) | {"entities": entities}

    def __str__(self) -> str:
        """One line for people."""
        where = (
            self.files[0] if len(self.files) == 1 else f"{len(self.files)} files in {self.files[0].parent}"
        )
        statuses = ", ".join(
            f"{getattr(self, f):,} {f}" for f in ("clean", "superseded", "quarantined", "rejected")
        )
        return f"{self.domain}: {self.lines:,} lines ({statuses}) in {where}"


def _counts(of: Part | Delivery) -> dict[str, Any]:
    return {
        "files": [str(path) for path in of.files],
        "lines": of.lines,
        "clean": of.clean,
        "superseded": of.superseded,
        "quarantined": of.quarantined,
        "rejected": of.rejected,
        "defects": dict(of.defects),
    }
