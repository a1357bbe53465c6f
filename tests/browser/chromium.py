"""Where Chromium is on this machine, and the flags that keep it quiet and let it run as root."""

from __future__ import annotations

import shutil

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
