"""The order in which files of tests are given to the processes that run them."""

from typing import Any

from xdist.scheduler import LoadFileScheduling

# Of tests that hold an Airflow.
HEAVY = ("tests/end_to_end/", "tests/deployment/")
AT_ONCE = 2


class FewAirflows(LoadFileScheduling):
    """Files in their order, but so that two processes have whole platforms at work and the others something else.

    A platform takes a part of a core as long as it lives, whether it has work to do or waits for a core.
    """

    def _assign_work_unit(self, node: Any) -> None:
        others = [work for other, work in self.assigned_work.items() if other is not node]
        busy = sum(
            any(_is_heavy(file) and not all(tests.values()) for file, tests in work.items())
            for work in others
        )
        fitting = [file for file in self.workqueue if _is_heavy(file) == (busy < AT_ONCE)]
        if fitting:
            self.workqueue.move_to_end(fitting[0], last=False)
        super()._assign_work_unit(node)


def _is_heavy(file: str) -> bool:
    return file.startswith(HEAVY)
