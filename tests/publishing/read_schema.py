"""Query a schema again and again: `python -m tests.publishing.read_schema ROWS QUERY`; prints the reads and versions.

The query gives the number of rows, the sum of one table's amounts and the largest amount of the other table; each
version has one amount in all rows of both. Ends when there is a line on standard input.
"""

import select
import sys

import psycopg2

from settings import load

if __name__ == "__main__":
    server = load().postgres
    connection = psycopg2.connect(
        host=server.host,
        port=server.port,
        dbname=server.database,
        user=server.user,
        password=server.password.get_secret_value(),
    )
    connection.autocommit = True
    cursor, reads, seen = connection.cursor(), 0, set()
    while not select.select([sys.stdin], [], [], 0)[0]:
        cursor.execute(sys.argv[2])
        count, total, amount = cursor.fetchone()
        assert (count, total) == (int(sys.argv[1]), int(sys.argv[1]) * amount), (count, total, amount)
        reads += 1
        seen.add(amount)
        if reads == 1:
            print("reading", flush=True)
    print(reads, len(seen))
