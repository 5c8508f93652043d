"""Debian's Chromium, as tests of pages use it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TRIES = 5


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """A browser of its own for the tests of a module."""
    executable = os.environ.get("EVERTILL_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


def picture(page: Page, file: Path, **how: bool) -> None:
    """A screen to look at; it proves nothing, and Chromium sometimes has to be asked again."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(PlaywrightError):
            page.screenshot(path=file, **how)
            return
    page.screenshot(path=file, **how)
