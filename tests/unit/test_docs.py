"""The documents speak of what is there: links resolve; commands, targets and paths exist."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]
)
SECURITY = ROOT / "docs/security.md"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
TOP = ("desktop", "hardware", "shared", "sync_server", "tests", "docs", "installer", "requirements")

by_name = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(file.relative_to(ROOT)) for file in DOCUMENTS]
)


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def anchors(document: Path) -> set[str]:
    """Headings as a viewer turns them into anchors."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", text_of(document), flags=re.S), re.M
    )
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@by_name
def test_every_link_within_the_repository_leads_somewhere(document):
    broken = []
    for target in LINK.findall(CODE.sub("", text_of(document))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (document.parent / path).resolve() if path else document
        is_there = file.exists() and file.is_relative_to(ROOT)
        if not is_there or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def spoken_code(document: Path) -> str:
    """Everything in code marks."""
    return "\n".join(part.strip("`") for part in CODE.findall(text_of(document)))


@by_name
def test_every_make_target_exists(document):
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", spoken_code(document)))
    assert named - targets == set()


@by_name
def test_every_path_of_the_repository_exists(document):
    pattern = rf"\b((?:{'|'.join(TOP)})/[\w./*-]+)"
    named = set(re.findall(pattern, spoken_code(document)))
    missing = [
        path
        for path in named
        if not (ROOT / path).exists() and not any(ROOT.glob(path.rstrip("/.")))
    ]
    assert sorted(missing) == []


@by_name
def test_every_module_exists(document):
    packages = "desktop|hardware|shared|sync_server"
    named = set(re.findall(rf"\b((?:{packages})(?:\.[a-z_]\w*)+)\b", spoken_code(document)))
    missing = [name for name in named if not _is_module_or_name_in_one(name)]
    assert sorted(missing) == []


def _is_module_or_name_in_one(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    if place.is_dir() or place.with_suffix(".py").exists():
        return True
    module, _, attribute = name.rpartition(".")
    file = ROOT.joinpath(*module.split("."))
    source = file.with_suffix(".py") if file.with_suffix(".py").exists() else file / "__init__.py"
    return source.exists() and bool(re.search(rf"\b{attribute}\b", text_of(source)))


@cache
def subcommands(program: str) -> frozenset[str]:
    """What a program's own help lists."""
    command = [str(Path(sys.executable).parent / program), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-1000:]
    return frozenset(re.findall(r"^[│| ]+([a-z][a-z-]+) ", done.stdout, re.MULTILINE))


@by_name
def test_every_command_exists(document):
    named = set(re.findall(r"\b(evertill(?:-server)?) ([a-z][a-z-]+)\b", spoken_code(document)))
    missing = [f"{program} {word}" for program, word in named if word not in subcommands(program)]
    assert sorted(missing) == []


NAMED_TEST = re.compile(r"`(tests/[\w./-]+?)(?:::(\w+))?`")


def named_tests() -> list[tuple[str, str]]:
    """Per row of the tables of threats and tricks, what it was seen in."""
    rows = re.findall(r"^\| (?!threat|trick|-).*\| (.*) \|$", text_of(SECURITY), re.MULTILINE)
    assert all(NAMED_TEST.search(row) for row in rows), "a threat without a test"
    return [found for row in rows for found in NAMED_TEST.findall(row)]


def test_every_threat_and_trick_names_a_test_that_exists():
    named = named_tests()
    assert len(named) > 60
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists()
        or not path.endswith(".py")  # a folder names no test
        or (name and f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_every_trick_that_is_played_stands_in_the_table():
    told = {name for _path, name in named_tests()}
    played = {
        name
        for file in (ROOT / "tests/fraud").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(played) >= 25
    assert played - told == set()
