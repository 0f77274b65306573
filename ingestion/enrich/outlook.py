"""Whether a run has articles to work on, and whether as many were published as usual."""

from dataclasses import dataclass
from datetime import date, datetime

from ingestion.enrich.enrich import waiting_articles
from ingestion.leftovers import completed_loads
from ingestion.rest.endpoint import Endpoint
from ingestion.warehouse import connect
from settings import Settings

DAYS = 7


@dataclass(frozen=True)
class Outlook:
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


def outlook(articles: Endpoint, settings: Settings) -> Outlook:
    """Look at what is loaded.

    Args:
        articles: the endpoint of the articles, of which a load has made the raw tables.
        settings: which data folder and environment.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    schema = f"raw_{articles.domain}"
    waiting = waiting_articles(articles, settings)
    with connect(settings) as connection:
        (loaded_at,) = connection.execute(
            f"select epoch(max(inserted_at)) from {schema}._dlt_loads where load_id in ({completed_loads(schema)})"
        ).fetchone()
        days = connection.execute(
            f"""
            with days as (
                select cast(try_cast({articles.cursor} as timestamp) as date) as day, count(*) as articles
                from {schema}.{articles.entity}
                group by day
                having day is not null
            ),
            latest as (select max(day) as day from days where day < (select max(day) from days))
            select
                latest.day,
                max(days.articles) filter (days.day = latest.day),
                sum(days.articles) filter (days.day between latest.day - {DAYS} and latest.day - 1) / {DAYS},
                min(days.day) <= latest.day - {DAYS}
            from latest inner join days on days.day <= latest.day
            group by latest.day
            """
        ).fetchone() or (None, 0, None, False)
    day, count, usual, is_known = days
    return Outlook(
        waiting,
        datetime.fromtimestamp(loaded_at).astimezone() if loaded_at else None,
        day,
        count,
        float(usual) if is_known else None,
    )
