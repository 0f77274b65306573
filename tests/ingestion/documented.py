"""The declarations of sources that the documentation shows."""

import re

from ingestion.files.file_resource import FileResource
from settings import PROJECT_DIR

SOURCES = PROJECT_DIR / "docs" / "sources.md"


def documented_configuration() -> str:
    """Return the configuration of a REST API in the documentation."""
    (block,) = re.findall(r"```yaml\n(.*?)```", SOURCES.read_text(), re.DOTALL)
    return block


def documented(name: str) -> FileResource:
    """Return a resource of the module in the documentation that has it."""
    blocks = re.findall(r"```python\n(.*?)```", SOURCES.read_text(), re.DOTALL)
    (block,) = [block for block in blocks if f"{name} = FileResource(" in block]
    module: dict = {}
    exec(block, module)  # the page's own code
    return module[name]
