"""Gets data in: from files and APIs into `raw_<domain>` of the warehouse, as delivered."""
