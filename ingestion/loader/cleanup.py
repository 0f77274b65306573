"""What killed loads and replaced contents leave behind in `raw_<domain>`, and how it goes.

dlt's commit record (`_dlt_loads`) says which loads are complete, `file_loads` which contents count.
"""

from ingestion.files.file_resource import FileResource
from warehouse import Warehouse


def completed_loads(schema: str) -> str:
    """SQL for the ids of the loads that dlt has completed."""
    return f"select load_id from {schema}._dlt_loads where status = 0"


def remove_unfinished(warehouse: Warehouse, schema: str, feed: FileResource) -> None:
    """Remove rows that a killed load appended to a file's earlier contents, whether or not they come again.

    Rows that it put in place of others stay until they are replaced in turn.
    """
    if feed.kept_files:
        warehouse.execute(
            f"""
            delete from {schema}.{feed.entity}
            where starts_with(_source_file, ?) and _dlt_load_id not in ({completed_loads(schema)})
            """,
            [feed.kept_files.removesuffix("*")],
        )


def remove_content(
    warehouse: Warehouse, schema: str, feed: FileResource, source_file: str, prefix: str
) -> None:
    """Remove the rows of one content of a file, by what their `_row_id` begins with."""
    warehouse.execute(
        f"delete from {schema}.{feed.entity} where _source_file = ? and starts_with(_row_id, ?)",
        [source_file, f"{prefix}-"],
    )


def remove_stale_rejects(warehouse: Warehouse, schema: str, feed: FileResource) -> None:
    """Remove rejected lines of killed loads and of contents that were replaced."""
    warehouse.execute(
        f"""
        delete from {schema}.rejected_lines
        where entity = $entity and _dlt_load_id not in (
            select _dlt_load_id from {schema}.file_loads
            where entity = $entity and status = 'loaded' and _dlt_load_id in ({completed_loads(schema)})
        )
        """,
        {"entity": feed.entity},
    )
