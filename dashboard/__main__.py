"""`python -m dashboard [--host ADDRESS] [--port N]`: serve the dashboard until Ctrl-C."""

import argparse
import sys
from pathlib import Path

import settings
from local_airflow.processes import AirflowError, free_port

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


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dashboard", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    parser.add_argument("--port", type=int, help=f"default: the first free one from {FIRST_PORT} on")
    options = parser.parse_args(arguments)
    try:
        settings.load()
        port = options.port or free_port(FIRST_PORT, options.host)
    except (settings.SettingsError, AirflowError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # Imported before the first visitor comes, who would otherwise wait for it.
    from streamlit.web import cli

    import dashboard.views  # noqa: F401

    address = {"server.address": options.host, "server.port": str(port)}
    flags = [f"--{name}={value}" for name, value in (OPTIONS | address).items()]
    print(f"The dashboard: http://{options.host}:{port}  (Ctrl-C stops it)", flush=True)
    return cli.main(["run", str(Path(__file__).with_name("app.py")), *flags], standalone_mode=False) or 0


if __name__ == "__main__":
    sys.exit(main())
