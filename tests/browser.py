"""A real browser: one that is on the machine, by its name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Where it is when it is none of these.
PATH = "CPOR_BROWSER"


@contextmanager
def real_browser() -> Iterator[Browser]:
    """Skips the test where there is none."""
    wanted = (os.environ.get(PATH, ""), *NAMES)
    found = next((path for name in wanted if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(
            f"needs a browser: none of {', '.join(NAMES)} is on the PATH; "
            f"install one (Debian: apt-get install chromium), or name it in {PATH}"
        )
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
