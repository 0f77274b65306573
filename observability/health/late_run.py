"""Notification of a run that misses its deadline. Imports little, because every DAG imports it when it is parsed."""

import asyncio
import logging
from typing import Any

import settings as settings_module

log = logging.getLogger(__name__)


async def notify_late_run(pipeline: str, hours: float, **_: Any) -> None:
    """Notify of a run that has missed its deadline. Airflow's triggerer calls it while the run goes on.

    Args:
        pipeline: the pipeline whose run is late.
        hours: from the time at which the run was queued to its deadline.
    """
    from observability.notify import Message, send

    settings = settings_module.load()
    subject = f"{pipeline} alert: deadline_hours ({settings.env})"
    message = Message(subject, [f"a run is not finished {hours:g} hours after it was queued"], pipeline)
    # In a thread: a mail server that does not answer must not block the triggerer.
    log.info("%s", await asyncio.to_thread(send, message, settings))
