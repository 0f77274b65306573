"""Writes the shop's reports of a fixed day, and prints the status of the process: `python -m …`."""

from pathlib import Path

from publishing.reports import write_reports
from tests.reports.test_reports import DAY

if __name__ == "__main__":
    write_reports("ecommerce", day=DAY)
    status = Path("/proc/self/status")
    print(status.read_text() if status.exists() else "")
