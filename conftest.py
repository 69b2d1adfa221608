"""What the tests of the core and of the plugins share: a way to open pages in headless Chromium."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def browse():
    """Open a page in Chromium, run a script in it and return (its result, messages on the console)."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")

    def open_page(page: Path, script: str, folder: Path, *flags: str):
        probe = (
            f"setTimeout(() => document.body.dataset.result = JSON.stringify((() => {{{script}}})()), 300)"
        )
        probed = folder / "probed.html"
        text = page.read_text(encoding="utf-8").replace("</body>", f"<script>{probe}</script></body>")
        probed.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--enable-logging=stderr",
                f"--user-data-dir={folder / 'profile'}",
                "--window-size=1280,900",
                "--virtual-time-budget=2000",
                *flags,
                "--dump-dom",
                probed.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        found = re.search(r'data-result="([^"]*)"', done.stdout)
        assert found is not None, f"the script gave no result; console: {console}"
        return json.loads(html.unescape(found[1])), console

    return open_page
