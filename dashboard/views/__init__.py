"""One module a page: `TITLE`, `ICON` and `show()`; its questions stand beside it. They are shown in this order.

(A folder `pages` would be found by Streamlit itself, which would run each module as a script.)
"""

from dashboard.views import collisions, ecommerce, news, overview, quality, runs, sales, taxi

GROUPS = {
    "Pipelines": [overview, quality, runs],
    "Domains": [collisions, ecommerce, taxi, sales, news],
}
