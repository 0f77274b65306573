"""Serves a dashboard, and opens it in a browser."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from settings import PROJECT_DIR, Settings

# The browser runs without a screen and loads nothing but the dashboard.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60


def chromium() -> str | None:
    """The system's Chromium, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window; it ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def settled(page: Page) -> None:
    """Wait until the page has a heading and Streamlit has run its script."""
    page.wait_for_selector("h1")
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') === 'notRunning'"
    )


@contextmanager
def serve(settings: Settings) -> Iterator[str]:
    """A dashboard on a free port; gives its address.

    Raises:
        RuntimeError: it did not start, or one of its pages failed; the message is its output.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.NamedTemporaryFile(suffix="-dashboard.log") as output:
        log = Path(output.name)
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "dashboard", "--port", str(port)],
            cwd=PROJECT_DIR,
            env=os.environ | settings.environment(),
            stdout=output,
            stderr=output,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + START_SECONDS
            while not _answers(f"{url}/_stcore/health"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(log.read_text())
                time.sleep(0.1)
            yield url
            if "Traceback" in log.read_text():
                raise RuntimeError(log.read_text())
        finally:
            process.terminate()
            process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:
        return False
