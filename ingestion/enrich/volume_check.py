"""Compares the number of records of the last day with that of the week before."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ingestion.api.api_resource import ApiResource
from ingestion.api.times import parse_time
from ingestion.loader.tables import completed_loads
from settings import Settings
from warehouse import read_connection

DAYS = 7


@dataclass(frozen=True)
class VolumeCheck:
    """The number of articles in the raw table.

    Attributes:
        loaded_at: when the last load was completed; None if there was none.
        latest_day: the last whole day (UTC) on which articles were published. The day of the newest article is not
            whole: a run early in the day has a few hours of it, and some plans deliver articles a day late.
        articles: number of articles of that day.
        usual: mean number of articles per day in the seven days before; None if the articles do not go back that far.
    """

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
            return "no whole day of articles yet"
        usual = "less than seven days of articles before it"
        if self.usual is not None:
            usual = f"{self.usual:.1f} per day in the week before"
        return f"{self.articles} articles on {self.latest_day}, {usual}"


def measure_volume(articles: ApiResource, settings: Settings) -> VolumeCheck:
    """Count the articles that are loaded; a load must have created the raw table.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    schema = f"raw_{articles.domain}"
    with read_connection(settings) as warehouse:
        ((loaded,),) = warehouse.execute(
            f"select extract(epoch from max(inserted_at)) from {schema}._dlt_loads where load_id in ({completed_loads(schema)})"
        ).fetchall()
        times = warehouse.execute(
            f"select {articles.cursor}, count(*) from {schema}.{articles.entity} group by 1"
        ).fetchall()
    days: Counter[date] = Counter()
    for text, count in times:
        if time := parse_time(text):
            days[time.date()] += count
    loaded_at = datetime.fromtimestamp(float(loaded)).astimezone() if loaded else None
    if len(days) < 2:
        return VolumeCheck(loaded_at, latest_day=None, articles=0, usual=None)
    latest = sorted(days)[-2]
    week = [latest - timedelta(day) for day in range(1, DAYS + 1)]
    usual = sum(days[day] for day in week) / DAYS if min(days) <= week[-1] else None
    return VolumeCheck(loaded_at, latest, days[latest], usual)
