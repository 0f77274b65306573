"""Read a published file again and again: `python -m tests.publishing.read_file FILE`; prints the reads and versions.

Each version has one amount in all rows. Ends when there is a line on standard input.
"""

import select
import sys

import duckdb

from tests.publishing.months import ROWS, SUMS

if __name__ == "__main__":
    reads, seen = 0, set()
    while not select.select([sys.stdin], [], [], 0.005)[0]:
        with duckdb.connect(sys.argv[1], read_only=True) as published:
            found = published.execute(SUMS).fetchone()
            again = published.execute(SUMS).fetchone()
        count, total, least, most = found
        assert (count, total, most) == (3 * ROWS, 3 * ROWS * least, least), found
        assert again == found
        reads += 1
        seen.add(least)
        if reads == 1:
            print("reading", flush=True)
    print(reads, len(seen))
