"""What a run leaves behind about itself: notes while it goes on, rows in `raw_ops` when it has ended."""
