"""One module per page: `TITLE`, `ICON`, `GROUP` and `ORDER` in the menu, `show()` and its queries.

Pages are found by listing this folder. (It is not named `pages`, because Streamlit would run each module of such a folder
as a script.)
"""

import importlib
import pkgutil
from types import ModuleType


def find_pages() -> list[ModuleType]:
    """Return the modules of all pages, in the order of the menu."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    return sorted(modules, key=lambda page: (page.ORDER, page.TITLE))
