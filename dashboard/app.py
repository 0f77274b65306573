"""The script that Streamlit runs for each visitor: the frame around the pages."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import views
from dashboard.published import NothingToShowError


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
    groups = {
        group: [
            st.Page(
                partial(_show, page.show),
                title=page.TITLE,
                icon=page.ICON,
                url_path=page.__name__.rpartition(".")[2],
            )
            for page in members
        ]
        for group, members in views.GROUPS.items()
    }
    # Streamlit's default page has no address but that of the site, and every page is to have its own.
    first = next(iter(groups.values()))[0]
    start = st.Page(partial(st.switch_page, first), title="Sluice", default=True, visibility="hidden")
    st.navigation({"": [start], **groups}).run()


main()
