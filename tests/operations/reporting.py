"""Writes the shop's reports of a fixed day: `python -m …`."""

from operations.reports import write_reports
from tests.operations.test_reports import DAY

if __name__ == "__main__":
    write_reports("ecommerce", day=DAY)
