"""Serves the dashboard with Streamlit."""

from pathlib import Path
from urllib.parse import urlsplit

import settings

FIRST_PORT = 8501
OPTIONS = {
    # Opens no browser and asks for no e-mail address.
    "server.headless": "true",
    "browser.gatherUsageStats": "false",
    "server.fileWatcherType": "none",
    "client.toolbarMode": "minimal",
    # Errors are in the output of this process, not on the page.
    "client.showErrorDetails": "none",
    # Streamlit's own is red, which is the colour of what failed.
    "theme.light.primaryColor": "#2F86D6",
    "theme.dark.primaryColor": "#2F86D6",
}


def serve(host: str, port: int) -> None:
    """Serve the dashboard until Ctrl-C."""
    # Imported now, so that the first visitor does not wait for it.
    from streamlit.web import cli

    from dashboard.metrics import metrics_of
    from dashboard.views import find_pages

    find_pages()
    # Reads the definitions of all metrics, and imports MetricFlow.
    metrics_of("")

    address = {"server.address": host, "server.port": str(port)}
    flags = [f"--{name}={value}" for name, value in (OPTIONS | address).items()]
    # No page of somebody else's may have a browser ask it, under a name of that page (DNS rebinding).
    names = {"localhost", "127.0.0.1", host, urlsplit(str(settings.load().dashboard_url)).hostname}
    flags += [f"--server.allowedHosts={name}" for name in sorted(names)]
    print(f"The dashboard: http://{host}:{port}  (Ctrl-C stops it)", flush=True)
    cli.main(["run", str(Path(__file__).with_name("app.py")), *flags], standalone_mode=False)
