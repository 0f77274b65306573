"""The order in which xdist hands test files to its workers."""

from typing import Any

from xdist.scheduler import LoadFileScheduling

# Folders of tests that start an Airflow.
HEAVY = ("tests/end_to_end/", "tests/deployment/")
AT_ONCE = 2


class FewAirflows(LoadFileScheduling):
    """Run at most two files with an Airflow at once; the other workers take other files.

    An Airflow takes a part of a core as long as it lives, whether it works or waits.
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
