"""Serves the dashboard with Streamlit."""

from pathlib import Path

FIRST_PORT = 8501
OPTIONS = {
    # No browser is opened, and nobody is asked for an e-mail address.
    "server.headless": "true",
    "browser.gatherUsageStats": "false",
    "server.fileWatcherType": "none",
    "client.toolbarMode": "minimal",
    # Errors are in the output of this process, and not on the page.
    "client.showErrorDetails": "none",
}


def serve(host: str, port: int) -> None:
    """Serve the dashboard until Ctrl-C."""
    # Imported before the first visitor comes, who would otherwise wait for it.
    from streamlit.web import cli

    import dashboard.views  # noqa: F401

    address = {"server.address": host, "server.port": str(port)}
    flags = [f"--{name}={value}" for name, value in (OPTIONS | address).items()]
    print(f"The dashboard: http://{host}:{port}  (Ctrl-C stops it)", flush=True)
    cli.main(["run", str(Path(__file__).with_name("app.py")), *flags], standalone_mode=False)
