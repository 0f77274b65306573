"""New York's API of motor vehicle collisions, as Socrata serves it: fields without a value are left out."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Header, Query
from fastapi.responses import JSONResponse

# The city publishes many crashes at one time.
PUBLISHED_AT = datetime(2024, 1, 1, tzinfo=UTC)
PUBLISHED = 20
BOROUGHS = ("BRONX", "BROOKLYN", "MANHATTAN", "QUEENS", "STATEN ISLAND", None)
COUNTS = [
    f"number_of_{party}_{harm}"
    for party in ("persons", "pedestrians", "cyclist", "motorist")
    for harm in ("injured", "killed")
]
CONDITION = re.compile(
    r"(:updated_at >= '(?P<since>\S+)')?"
    r"(:updated_at > '(?P<time>\S+)' or \(:updated_at = '(?P=time)' and :id > '(?P<id>\S+)'\))?"
)
PATH = "/resource/h9gi-nx95.json"


def crash(number: int) -> dict[str, Any]:
    """One crash in its first version, with the field names of the API."""
    at_crossing = number % 2 == 0
    latitude, longitude = f"40.{700000 + number}", f"-73.{900000 + number}"
    return {
        ":id": f"row-{number:06}",
        ":created_at": _written(PUBLISHED_AT),
        ":updated_at": _written(PUBLISHED_AT + timedelta(days=max(number - PUBLISHED, 0))),
        ":version": "rv-1",
        "crash_date": f"{datetime(2021, 9, 1) + timedelta(days=number % 60):%Y-%m-%dT00:00:00.000}",
        "crash_time": f"{number % 24}:{number % 60:02}",
        "borough": BOROUGHS[number % len(BOROUGHS)],
        "zip_code": f"{10000 + number % 900}",
        "latitude": latitude,
        "longitude": longitude,
        "location": {"latitude": latitude, "longitude": longitude},
        "on_street_name": f"{number} AVENUE" if at_crossing else None,
        # What the download calls CROSS STREET NAME, and OFF STREET NAME.
        "off_street_name": f"{number} STREET" if at_crossing else None,
        "cross_street_name": None if at_crossing else f"{number} PARKING LOT",
        **dict.fromkeys(COUNTS, "0"),
        "number_of_persons_injured": f"{number % 3}",
        "number_of_motorist_injured": f"{number % 3}",
        "contributing_factor_vehicle_1": "Unspecified",
        "collision_id": f"{4_000_000 + number}",
        "vehicle_type_code1": "Sedan",
        "vehicle_type_code2": "Taxi" if number % 5 == 0 else None,
    }


class CollisionsApi:
    """The crashes and their API; `app` serves it.

    Args:
        token: the app token; requests may lack it, but may not send another one.
        crashes: how many there are.
    """

    def __init__(self, token: str, crashes: int) -> None:
        self.crashes: list[Any] = [crash(number) for number in range(1, crashes + 1)]
        self._token = token
        self._now = PUBLISHED_AT + timedelta(days=60)
        self.app = FastAPI()
        self.app.get(PATH)(self._answer)

    def change(self, number: int, **fields: Any) -> None:
        """Change a crash, or add it; its change is then the latest one."""
        self._now += timedelta(days=2)
        row = f"row-{number:06}"
        found = next((each for each in self.crashes if each[":id"] == row), crash(number))
        self.crashes = [each for each in self.crashes if each is not found]
        self.crashes.append({**found, ":updated_at": _written(self._now), **fields})

    def _answer(
        self,
        select: str = Query(default="*", alias="$select"),
        where: str = Query(default="", alias="$where"),
        order: str = Query(default="", alias="$order"),
        limit: int = Query(default=1000, alias="$limit"),
        token: str = Header(default="", alias="X-App-Token"),
    ) -> JSONResponse:
        if token not in ("", self._token):
            return _refusal(403, "permission_denied", "Invalid app_token specified")
        asked = CONDITION.fullmatch(where)
        if (select, order) != (":*,*", ":updated_at,:id") or not asked:
            return _refusal(400, "query.compiler.malformed", f"Could not parse {select} {where} {order}")
        least = (asked["since"] or asked["time"] or "", asked["id"] or "")
        found = sorted(self.crashes, key=_key)
        found = [each for each in found if _key(each) > least]
        return JSONResponse(
            [{name: value for name, value in each.items() if value is not None} for each in found[:limit]]
        )


def _key(record: dict[str, Any]) -> tuple[str, str]:
    return record[":updated_at"], record[":id"]


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "error": True, "message": message}, status)


def _written(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
