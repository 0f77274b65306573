"""What a run records about itself: notes while it goes on, rows in `raw_ops` after its end."""
