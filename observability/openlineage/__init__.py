"""OpenLineage: what a run has read and written, sent once at its end to a receiver or into a file."""
