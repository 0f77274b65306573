"""One module a page: `TITLE`, `ICON` and `show()`; its questions stand beside it. They are shown in this order."""

from dashboard.pages import collisions, ecommerce, overview, quality, runs, taxi

GROUPS = {
    "Pipelines": [overview, quality, runs],
    "Domains": [collisions, ecommerce, taxi],
}
