"""Tells of a run that has not ended in time. The DAGs import it as they are parsed, so it imports little itself."""

from typing import Any

import settings as settings_module


async def tell_late(pipeline: str, hours: float, **_: Any) -> None:
    """Tell of a run that has not ended by its deadline. A scheduler calls it while the run goes on.

    Args:
        pipeline: whose run.
        hours: from its queue to its deadline.
    """
    from operations.notify import Message, send

    settings = settings_module.load()
    subject = f"{pipeline} alert: deadline_hours ({settings.env})"
    print(send(Message(subject, [f"a run has not ended {hours:g} hours after it was queued"]), settings))
