"""Whether a run has articles to work on, and whether as many were published as usual."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ingestion.api.api_resource import ApiResource
from ingestion.api.records import as_time
from ingestion.enrich.enrich import waiting_articles
from ingestion.loader.tables import completed_loads
from settings import Settings
from warehouse import reading

DAYS = 7


@dataclass(frozen=True)
class VolumeCheck:
    """The state of the raw tables.

    Attributes:
        waiting: number of texts that are not judged yet.
        loaded_at: when the last load was completed; None if there was none.
        latest_day: the last whole day (UTC) on which articles were published. The day of the newest article is not
            whole: a run early in the day has a few hours of it, and some plans deliver articles a day late.
        articles: number of articles of that day.
        usual: mean number of articles a day in the seven days before; None if the articles do not go back that far.
    """

    waiting: int
    loaded_at: datetime | None
    latest_day: date | None
    articles: int
    usual: float | None

    @property
    def is_low(self) -> bool:
        """Whether the last whole day has less than half of the usual number."""
        return self.usual is not None and self.articles < self.usual / 2

    def __str__(self) -> str:
        if self.latest_day is None:
            return "there is no whole day of articles yet"
        before = "there are not seven days before it"
        if self.usual is not None:
            before = f"{self.usual:.1f} a day in the week before"
        return f"{self.articles} articles on {self.latest_day}, {before}"


def outlook(articles: ApiResource, settings: Settings) -> VolumeCheck:
    """Look at what is loaded.

    Args:
        articles: the endpoint of the articles, of which a load has made the raw tables.
        settings: which data folder and environment.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    schema = f"raw_{articles.domain}"
    waiting = waiting_articles(articles, settings)
    with reading(settings) as warehouse:
        (loaded_at,) = warehouse.execute(
            f"select extract(epoch from max(inserted_at)) from {schema}._dlt_loads where load_id in ({completed_loads(schema)})"
        ).fetchone()
        times = warehouse.execute(
            f"select {articles.cursor}, count(*) from {schema}.{articles.entity} group by 1"
        ).fetchall()
    days: Counter[date] = Counter()
    for text, count in times:
        if time := as_time(text):
            days[time.date()] += count
    # The newest day may have a few hours of articles only.
    latest = max(sorted(days)[:-1], default=None)
    is_known = latest is not None and min(days) <= latest - timedelta(DAYS)
    usual = sum(days[latest - timedelta(day)] for day in range(1, DAYS + 1)) / DAYS if is_known else None
    return VolumeCheck(
        waiting,
        datetime.fromtimestamp(float(loaded_at)).astimezone() if loaded_at else None,
        latest,
        days[latest],
        usual,
    )
