"""Which slices of a large table the warehouse stores just as it did when they were looked at before.

To read all rows of all months at each publication would cost more with every month. DuckDB keeps a table in
row groups, whose columns lie in blocks; each block begins with a checksum of its content, and what is not
written again keeps its blocks. So the mark of a slice is a digest of how the row groups with its rows are
stored (the blocks' checksums, where in the block, how packed, smallest and largest value) and of which of
their rows are the slice's. The same mark means the same rows. Another mark means nothing: the slice is read.
"""

import hashlib
import struct
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path

import duckdb

from operations.publishing.profile import Table, quoted

# Smaller tables are read in less time than it takes to see how they are stored.
LEAST_ROWS = 1_000_000
# Where the blocks begin: behind the main header and two headers of the database.
FIRST_BLOCK = 3 * 4096
CHECKSUM_BYTES = 8
# In a process of its own: when any descriptor of a file is closed, the process loses all its locks on the file, and so
# would lose DuckDB's.
READ_CHECKSUMS = """
import os, struct, sys
size, *blocks = map(int, sys.stdin.read().split())
file = os.open(sys.argv[1], os.O_RDONLY)
for block in blocks:
    sys.stdout.buffer.write(os.pread(file, 8, 12288 + block * size))
"""


def marks(connection: duckdb.DuckDBPyConnection, warehouse: Path, table: Table) -> dict[str, str]:
    """Marks of the slices of a table of the connection's own database; none for a small table.

    Args:
        connection: to the warehouse, which nobody else has open.
        warehouse: its file.
        table: which table.
    """
    stored = _row_groups(connection, warehouse, table)
    if not stored:
        return {}
    starts = [start for start, _ in stored]
    slice_by = quoted(table.slice_by) if table.slice_by else "''"
    groups = connection.execute(
        f"select coalesce(cast({slice_by} as text), ''), count(*), min(rowid), max(rowid), sum(rowid)"
        f" from {table.relation} group by {slice_by}"
    ).fetchall()
    columns = repr(list(table.columns.items())).encode()
    found = {}
    for key, rows, first, last, positions in groups:
        begin, end = bisect_right(starts, first) - 1, bisect_right(starts, last)
        digest = hashlib.blake2b(columns, digest_size=16)
        # Rows of a row group can be deleted and never come back, so their number alone would nearly do.
        digest.update(repr((rows, positions - rows * starts[begin])).encode())
        for _, how in stored[begin:end]:
            digest.update(how)
        found[key] = digest.hexdigest()
    return found


def _row_groups(
    connection: duckdb.DuckDBPyConnection, warehouse: Path, table: Table
) -> list[tuple[int, bytes]]:
    """The first row id of each row group, in order, and a digest of how it is stored."""
    name = table.mart.name
    (rows,) = connection.execute(
        "select estimated_size from duckdb_tables()"
        " where database_name = current_database() and schema_name = ? and table_name = ?",
        [table.relation.split(".")[0].strip('"'), name],
    ).fetchone()
    if rows < LEAST_ROWS:
        return []
    # What the last build left in the log comes into the blocks.
    connection.execute("checkpoint")
    segments = connection.execute(
        "select row_group_id, column_path, segment_id, count, compression, stats, has_updates, persistent,"
        " block_id, block_offset, additional_block_ids"
        f" from pragma_storage_info('{table.relation}') order by row_group_id, column_id, column_path, segment_id"
    ).fetchall()
    if any(has_updates or not persistent for *_, has_updates, persistent, _, _, _ in segments):
        return []
    size = int(connection.execute("pragma database_size").fetchone()[2])
    blocks = {block for *_, block, _, more in segments for block in (block, *more) if block >= 0}
    checksums = _checksums(warehouse, size, sorted(blocks))
    row_groups: dict[int, list] = {}
    lengths: dict[int, int] = {}
    for group, path, segment, count, packed, stats, _, _, block, offset, more in segments:
        row_groups.setdefault(group, []).append(
            (
                path,
                segment,
                count,
                packed,
                stats,
                offset,
                checksums.get(block),
                [checksums.get(each) for each in more],
            )
        )
        if path == "[0]":
            lengths[group] = lengths.get(group, 0) + count
    found, first = [], 0
    for group in sorted(row_groups):
        found.append((first, hashlib.blake2b(repr(row_groups[group]).encode(), digest_size=16).digest()))
        first += lengths[group]
    return found


def _checksums(warehouse: Path, block_size: int, blocks: list[int]) -> Mapping[int, int]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", READ_CHECKSUMS, str(warehouse)],
        input=" ".join(map(str, [block_size, *blocks])).encode(),
        capture_output=True,
        check=True,
    )
    return dict(zip(blocks, struct.unpack(f"<{len(blocks)}Q", done.stdout), strict=True))
