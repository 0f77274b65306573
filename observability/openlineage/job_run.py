"""A part of a run, as events show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openlineage.client.event_v2 import InputDataset, OutputDataset


@dataclass(frozen=True)
class JobRun:
    """A part of a run.

    Attributes:
        job: its name, the same in each run.
        part: tells it from other runs of the job in the same run, such as those of other files.
        kind: what it is, such as `MODEL`.
        started_at: when it began.
        ended_at: when it ended.
        error: why it failed; None if it did not.
        inputs: what it read.
        outputs: what it wrote.
    """

    job: str
    part: str
    kind: str
    started_at: datetime
    ended_at: datetime
    error: str | None = None
    inputs: Sequence[InputDataset] = ()
    outputs: Sequence[OutputDataset] = ()
