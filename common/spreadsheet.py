"""Texts in CSV files for people, whose spreadsheet program would run some of them as a formula.

The characters and the apostrophe before them are those that OWASP recommends against CSV injection.
"""

import re

_FORMULA = r"^[=+\-@\t\r]"


def without_formula(text: str) -> str:
    """Return a text with an apostrophe before it if a spreadsheet program would take it for a formula."""
    return f"'{text}" if re.match(_FORMULA, text) else text


def without_formula_sql(column: str) -> str:
    """Return DuckDB's SQL for the same with a column of texts."""
    return f"case when regexp_matches({column}, '{_FORMULA}') then '''' || {column} else {column} end"
