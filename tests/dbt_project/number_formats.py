"""Texts of numbers that are written with marks and units, and what each engine must read."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from settings import Settings
from tests.forks import run_dbt

FORMATS = {
    "comma": "'decimal_mark': ','",
    "groups": "'group_mark': ','",
    "spaces": "'decimal_mark': ',', 'group_mark': ' '",
    "pounds": "'unit': '£'",
    "euros": "'unit': '€', 'decimal_mark': ','",
    "percent": "'unit': '%'",
}
READ = {
    ("comma", "1.234,50"): "1234.50",
    ("comma", "234,5"): "234.50",
    ("comma", " -1.234.567 "): "-1234567.00",
    ("comma", "1.50"): None,
    ("comma", "12.34,5"): None,
    ("comma", "1,2,3"): None,
    ("comma", "one"): None,
    ("groups", "1,234.5"): "1234.50",
    ("groups", "+12"): "12.00",
    ("groups", "1,50"): None,
    ("groups", "1.234,50"): None,
    ("spaces", "1 234,50"): "1234.50",
    ("spaces", "1.234,50"): None,
    ("pounds", "£3.5"): "3.50",
    ("pounds", "-£ 3.50"): "-3.50",
    ("pounds", "3.50"): "3.50",
    ("pounds", "£"): None,
    ("pounds", "€3.50"): None,
    ("euros", "1.234,50 €"): "1234.50",
    ("percent", "5%"): "5.00",
}

Query = Callable[[str], list[tuple[Any, ...]]]


def check(settings: Settings, query: Query, variables: Mapping[str, str] = MappingProxyType({})) -> None:
    """Check what an engine reads, by the SQL that dbt compiles for it."""
    rows = " union all ".join(
        f"select {number} as id, '{name}' as written, cast('{text}' as {{{{ dbt.type_string() }}}}) as given"
        for number, (name, text) in enumerate(READ)
    )
    reads = " ".join(
        f"when written = '{name}' then {{{{ read_value('given', {{'type': 'decimal', 'places': 2, {options}}}) }}}}"
        for name, options in FORMATS.items()
    )
    sql = f"select id, case {reads} end as value from ({rows}) as texts order by id"
    compiled = run_dbt(["--quiet", "compile", "--inline", sql], settings, variables=variables)
    found = [value for _, value in query(compiled[compiled.index("select id, case") :])]
    expected = [text and Decimal(text) for text in READ.values()]
    differing = [each for each in zip(READ, found, expected, strict=True) if each[1] != each[2]]
    assert differing == [], differing
