"""The steps of a run, the same for a DAG and for a shell."""
