"""Shows dbt's documentation, which holds all SQL, only to who is logged in to Airflow.

Cosmos serves it under /cosmos without asking who reads it.
"""

from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.plugins_manager import AirflowPlugin
from jwt import InvalidTokenError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "cosmos"


class RequireLogin:
    """Sends a browser without a login to Airflow's login page, and refuses other requests.

    All requests of tasks pass it as well: it does not wrap them as Starlette's BaseHTTPMiddleware would.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = self.app
        # As a segment: the UI may be served under a path of its own.
        if scope["type"] == "http" and PREFIX in scope["path"].split("/"):
            request = Request(scope, receive)
            if not await _is_logged_in(request):
                answer = _refusal(request)
        await answer(scope, receive, send)


def _refusal(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        login = get_auth_manager().get_url_login()
        return RedirectResponse(f"{login}?next={quote(str(request.url), safe='')}")
    return JSONResponse({"detail": "Not authenticated"}, status_code=401)


async def _is_logged_in(request: Request) -> bool:
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer if kind.lower() == "bearer" else request.cookies.get(COOKIE_NAME_JWT_TOKEN)
    if not token:
        return False
    try:
        return bool(await get_auth_manager().get_user_from_token(token))
    except InvalidTokenError:
        return False


class DocsLogin(AirflowPlugin):
    """The check before each request."""

    name = "sluice_docs_login"
    fastapi_root_middlewares = [
        {"middleware": RequireLogin, "args": [], "kwargs": {}, "name": "Login for dbt docs"}
    ]
