"""Checks what pip cannot bring: Python itself, Qt's system libraries, a Chinese font, test judges.

Runs on the bare system Python before anything is installed, so it uses the standard library only.
Each missing thing is named with the one command that installs it; as root on Debian that command
is run. Usage: ``python3 installer/prerequisites.py venv|run|test ...``
"""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

MINIMUM_PYTHON = (3, 11)

FONT_FILES = ("NotoSansCJK", "msyh", "PingFang", "SourceHanSans")
FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
    Path("C:/Windows/Fonts"),
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
)


class Prerequisite(NamedTuple):
    """One thing the machine must have: how to see it and which Debian package brings it."""

    what: str
    is_there: Callable[[], bool]
    debian_package: str


def has_library(soname: str) -> Callable[[], bool]:
    """Tell whether the dynamic loader finds a shared library (always true outside Linux)."""

    def check() -> bool:
        if not sys.platform.startswith("linux"):
            return True
        try:
            ctypes.CDLL(soname)
        except OSError:
            return False
        return True

    return check


def has_chinese_font() -> bool:
    """Without a font that has Han glyphs Qt draws boxes, silently."""
    return any(
        font in file.name
        for folder in FONT_FOLDERS
        if folder.is_dir()
        for file in folder.rglob("*")
        for font in FONT_FILES
    )


def has_venv() -> bool:
    """Debian splits ensurepip out of python3 into python3-venv."""
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def has_file(path: str) -> Callable[[], bool]:
    """Tell whether a file or folder is there."""
    return Path(path).exists


def has_program(*names: str) -> Callable[[], bool]:
    """Tell whether one of the programs is on the PATH."""
    return lambda: any(shutil.which(name) for name in names)


VENV = [Prerequisite("Python's venv module", has_venv, "python3-venv")]
RUN = [
    Prerequisite("libEGL (Qt)", has_library("libEGL.so.1"), "libegl1"),
    Prerequisite("libGL (Qt)", has_library("libGL.so.1"), "libgl1"),
    Prerequisite("libxkbcommon (Qt)", has_library("libxkbcommon.so.0"), "libxkbcommon0"),
    Prerequisite("libdbus (Qt)", has_library("libdbus-1.so.3"), "libdbus-1-3"),
    Prerequisite("libfontconfig (Qt)", has_library("libfontconfig.so.1"), "libfontconfig1"),
    Prerequisite("GLib (Qt)", has_library("libglib-2.0.so.0"), "libglib2.0-0"),
    Prerequisite("libxcb-cursor (Qt)", has_library("libxcb-cursor.so.0"), "libxcb-cursor0"),
    Prerequisite("libxcb-icccm (Qt)", has_library("libxcb-icccm.so.4"), "libxcb-icccm4"),
    Prerequisite("libxcb-image (Qt)", has_library("libxcb-image.so.0"), "libxcb-image0"),
    Prerequisite("libxcb-keysyms (Qt)", has_library("libxcb-keysyms.so.1"), "libxcb-keysyms1"),
    Prerequisite(
        "libxcb-render-util (Qt)", has_library("libxcb-render-util.so.0"), "libxcb-render-util0"
    ),
    Prerequisite(
        "libxkbcommon-x11 (Qt)", has_library("libxkbcommon-x11.so.0"), "libxkbcommon-x11-0"
    ),
    Prerequisite("a font with Chinese glyphs", has_chinese_font, "fonts-noto-cjk"),
]
TEST = [
    Prerequisite("Chromium (judges the web pages)", has_program("chromium"), "chromium"),
    Prerequisite("zbarimg (reads printed codes)", has_program("zbarimg"), "zbar-tools"),
    Prerequisite("openssl (judges signatures)", has_program("openssl"), "openssl"),
    Prerequisite("Node.js (runs foreign ESC/POS decoders)", has_program("node"), "nodejs"),
    Prerequisite("strace (counts flushes to the disk)", has_program("strace"), "strace"),
    Prerequisite("zint (draws reference codes)", has_program("zint"), "zint"),
    Prerequisite("cupsd (prints from a queue)", has_program("/usr/sbin/cupsd"), "cups-daemon"),
    Prerequisite("lpadmin (makes the queue)", has_program("/usr/sbin/lpadmin"), "cups-client"),
    Prerequisite("npm (brings the decoders)", has_program("npm"), "npm"),
    Prerequisite("pcscd (serves card readers)", has_program("/usr/sbin/pcscd"), "pcscd"),
    Prerequisite(
        "vpcd (a virtual card reader)",
        has_file("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"),
        "vsmartcard-vpcd",
    ),
    Prerequisite(
        "pyscard (asks card readers)",
        has_file("/usr/lib/python3/dist-packages/smartcard"),
        "python3-pyscard",
    ),
]
GROUPS = {"venv": VENV, "run": RUN, "test": TEST}


def install_command(packages: list[str]) -> list[str]:
    """The one command that brings Debian packages."""
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def can_install() -> bool:
    """Only root on a Debian-like system installs by itself."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def main(groups: list[str]) -> int:
    """Check the named groups; return a process exit code."""
    if sys.version_info < MINIMUM_PYTHON:
        wanted = ".".join(map(str, MINIMUM_PYTHON))
        print(f"Python {wanted} or later is needed; this is {sys.version.split()[0]}.")
        print("Install a newer one and call make with PYTHON=/path/to/python3.")
        return 1
    missing = [item for group in groups for item in GROUPS[group] if not item.is_there()]
    if not missing:
        return 0
    packages = sorted({item.debian_package for item in missing})
    print("Missing on this machine: " + ", ".join(item.what for item in missing))
    if not can_install():
        print("Install them with:  sudo " + " ".join(install_command(packages)))
        return 1
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print("Installing: " + " ".join(packages), flush=True)
    subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True)
    subprocess.run(
        [*install_command(packages), "-qq"],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["venv", "run"]))
