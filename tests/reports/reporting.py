"""Writes the shop's reports of a fixed day: `python -m …`."""

from publishing.reports import write_reports
from tests.reports.test_reports import DAY

if __name__ == "__main__":
    write_reports("ecommerce", day=DAY)
