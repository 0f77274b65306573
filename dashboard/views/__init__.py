"""One module per page, with `TITLE`, `ICON`, `show()` and its queries; `GROUPS` has the order of the menu.

(Not named `pages`, because Streamlit would run each module of such a folder as a script.)
"""

from dashboard.views import collisions, ecommerce, news, overview, quality, runs, sales, taxi

GROUPS = {
    "Pipelines": [overview, quality, runs],
    "Domains": [collisions, ecommerce, taxi, sales, news],
}
