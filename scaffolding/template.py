"""The templates of new and of generated files, in which Jinja leaves dbt's own Jinja as it is."""

import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


def template_environment() -> Environment:
    """Return what renders the templates; a file of dbt keeps its `{{ … }}`."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {
        "json": lambda value: json.dumps(value, ensure_ascii=False),
        # dbt takes braces for its own.
        "safe_text": lambda value: re.sub(r"[{}]", "_", value),
    }
    return environment
