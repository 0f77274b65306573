"""The script that Streamlit runs for each visitor: the frame around the pages."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard.published import NothingToShowError
from dashboard.views import find_pages


def _show(page: Callable[[], None]) -> None:
    """Show a page, or a sentence if what it reads is not published."""
    try:
        page()
    except NothingToShowError as error:
        st.info(str(error))


def main() -> None:
    """Show the menu and the page that was chosen."""
    # Without an icon here, the browser would load that of the page from the internet.
    st.set_page_config(page_title="Sluice", page_icon="🌊", layout="wide")
    menu: dict[str, list[st.Page]] = {}
    for page in find_pages():
        path = page.__name__.rpartition(".")[2]
        shown = st.Page(partial(_show, page.show), title=page.TITLE, icon=page.ICON, url_path=path)
        menu.setdefault(page.GROUP, []).append(shown)
    # Streamlit's default page has no path of its own, but every page here has one.
    first = next(iter(menu.values()))[0]
    start = st.Page(partial(st.switch_page, first), title="Sluice", default=True, visibility="hidden")
    st.navigation({"": [start], **menu}).run()


main()
