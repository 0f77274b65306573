"""What a visitor downloads, without a browser."""

from decimal import Decimal

import pandas as pd

from dashboard.downloads import csv


def test_a_download_has_no_text_that_a_spreadsheet_would_run() -> None:
    data = pd.DataFrame({"name": ["=1+1", "Ann", None], "margin": [Decimal("-1.50"), Decimal(2), None]})
    assert csv(data).splitlines() == ["name,margin", "'=1+1,-1.50", "Ann,2", ","]
