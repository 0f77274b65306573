"""Shows dbt's documentation, which holds all SQL, only to who is logged in to Airflow.

Cosmos serves it under /cosmos without asking who reads it.
"""

from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.plugins_manager import AirflowPlugin
from jwt import InvalidTokenError
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

PREFIX = "cosmos"


class RequireLogin(BaseHTTPMiddleware):
    """Sends a browser without a login to Airflow's login page, and refuses other requests."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        # As a segment: the UI may be served under a path of its own.
        if PREFIX not in request.scope["path"].split("/") or await _is_logged_in(request):
            return await call_next(request)
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
