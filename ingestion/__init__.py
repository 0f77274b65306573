"""Gets data in: from files and APIs into `raw_<domain>` of the warehouse, as delivered."""

import os

from settings import LIBRARY_OPTIONS

for _name, _value in LIBRARY_OPTIONS.items():
    os.environ.setdefault(_name, _value)
