"""The task that publishes. Where the gate stops, it waits for a person's decision, in Airflow's own way."""

import re
from datetime import timedelta
from typing import Any

from airflow.providers.standard.exceptions import HITLTimeoutError
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException

import settings
from dag_factory.task_runs import as_task_states, task_run
from orchestration.steps import Step

PUBLISH, REJECT = "Publish", "Reject"
# Airflow checks the form's values before a person has seen it, so that it cannot demand one.
FORM = {
    "comment": Param(
        "", type="string", title="Reason", description="Why; the version records it with your name."
    )
}


class PublishOperator(HITLOperator):
    """Publishes what the run has built, if the gate lets it pass or a person decides so.

    The gate's table of both sides is shown under "Required actions" of the run. Nobody's answer in the time of
    `approval_hours` is a no. Without such a time the task fails at once.

    Args:
        step: the step.
        arguments: those of the task; its `params` are `FORM`.
    """

    def __init__(self, *, step: Step, **arguments: Any) -> None:
        hours = settings.load().approval_hours
        super().__init__(
            subject="Publish in spite of this?",
            options=[PUBLISH, REJECT],
            defaults=REJECT,
            # Never without one: it would take the time that the task may run for it.
            response_timeout=timedelta(hours=hours or 1),
            **arguments,
        )
        self.step = step
        self.asks = hours > 0

    def execute(self, context: Any) -> Any:
        """Publish, or ask; see `orchestration.tasks.run_step`."""
        from orchestration.tasks import ask_for_decision, run_step
        from publishing.errors import PublishStoppedError

        run = task_run(self.dag_id, context)
        with as_task_states():
            try:
                return run_step(run, self.step)
            except PublishStoppedError as stopped:
                if not self.asks:
                    raise
                # In Markdown an empty line ends a table.
                self.body = re.sub(r"\|\n(?!\|)", "|\n\n", str(stopped))
                ask_for_decision(run, stopped)
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Publish if a person has decided so."""
        from orchestration.tasks import publish_approved

        try:
            answer = super().execute_complete(context, event)
        except HITLTimeoutError as error:
            raise AirflowFailException("nobody has decided in time: not published") from error
        by = (answer["responded_by_user"] or {}).get("name")
        reason = answer["params_input"].get("comment", "").strip()
        if answer["chosen_options"] != [PUBLISH]:
            who = f"{by} has rejected it: {reason}" if by else "nobody has decided in time"
            raise AirflowFailException(f"not published: {who}")
        if not reason:
            # Its next try asks again.
            raise AirflowException(f"{by} has given no reason")
        with as_task_states():
            return publish_approved(task_run(self.dag_id, context), by, reason)
