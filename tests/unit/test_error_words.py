"""Every error that can be raised has words in both languages that fit its fields; no key is loose.

Read from the sources' syntax trees: what is not raised in any test is checked all the same.
"""

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from shared.errors import DomainError
from shared.language import Language, Words, words

pytestmark = pytest.mark.xdist_group("error words")

ROOT = Path(__file__).parents[2]
PACKAGES = ("desktop", "hardware", "shared", "sync_server")
ERRORS = {"DomainError", "EnvironmentFault", "ProtocolError"}
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_-]+)+")


@dataclass(frozen=True)
class Raised:
    """One place where an error is made."""

    code: str
    fields: frozenset[str]
    place: str
    has_more: bool
    """Further fields come from a mapping; they cannot be read here."""


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    """When a test asks: whoever only collects it need not wait for so many."""
    return [
        (file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8")))
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
    ]


def raised() -> Iterator[Raised]:
    for file, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            code = node.args[0]
            if name in ERRORS and isinstance(code, ast.Constant):
                named = [keyword.arg for keyword in node.keywords]
                yield Raised(
                    str(code.value),
                    frozenset(arg for arg in named if arg),
                    f"{file}:{node.lineno}",
                    None in named,
                )


def places(known: Words, key: str) -> set[str]:
    """The fields of a message; every plural form has the same."""
    first, *others = [
        {name for _, name, _, _ in string.Formatter().parse(text) if name}
        for text in known.forms(key)
    ]
    assert all(other == first for other in others), key
    return first


@pytest.fixture(scope="module")
def errors() -> list[Raised]:
    return list(raised())


def test_the_walk_sees_the_errors_there_are(errors):
    assert len(errors) > 100
    assert {"unknown-barcode", "journal-behind-head", "bad-envelope"} <= {r.code for r in errors}


@pytest.mark.parametrize("language", list(Language))
def test_every_code_has_words_that_its_fields_can_fill(errors, language):
    known = words(language)
    wrong = []
    for one in errors:
        key = f"error.{one.code}"
        if key not in known:
            wrong.append(f"{one.place}: no {key}")
        elif not one.has_more:
            # Formatting is what the product does; a field that is missing shows up here.
            missing = places(known, key) - one.fields
            wrong += [f"{one.place}: {key} needs {field}" for field in sorted(missing)]
    assert wrong == []


def test_both_languages_have_the_same_keys_with_the_same_places():
    chinese, english = words(Language.CHINESE), words(Language.ENGLISH)
    assert chinese.keys() == english.keys()
    unequal = [
        key for key in sorted(english.keys()) if places(chinese, key) != places(english, key)
    ]
    assert unequal == []


@pytest.mark.parametrize("language", list(Language))
def test_no_message_is_empty_and_chinese_is_chinese(language):
    known = words(language)
    for key in sorted(known.keys()):
        text = "".join(known.forms(key))
        assert all(form.strip() for form in known.forms(key)), key
        if language is Language.ENGLISH:
            assert not re.search(r"[\u4e00-\u9fff]", text), key


def test_what_is_counted_has_every_form_of_its_language():
    chinese, english = words(Language.CHINESE), words(Language.ENGLISH)
    counted = [key for key in english.keys() if len(english.forms(key)) > 1]  # noqa: SIM118 - not a dict
    assert len(counted) >= 8
    for key in counted:
        assert len(chinese.forms(key)) == 1
        assert len(english.forms(key)) == 2
        assert "{count}" in english.forms(key)[0]


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (21, "21 items")]
)
def test_one_item_and_two_items(count, expected):
    assert words(Language.ENGLISH)("till.sale.items", count=count) == expected
    assert words(Language.CHINESE)("till.sale.items", count=count) == f"{count}件"


def literals(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Line, text, and whether more follows, of each string and each beginning of an f-string."""
    documentation = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inside = {
        part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            first = node.values[0] if node.values else None
            if isinstance(first, ast.Constant):
                yield node.lineno, str(first.value), True
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in documentation
            and node not in inside
        ):
            yield node.lineno, node.value, False


def test_every_key_in_the_code_is_in_the_catalogue():
    known = words(Language.ENGLISH).keys()
    areas = {key.split(".")[0] for key in known}
    endings = (
        ".py",
        ".po",
        ".json",
        ".key",
        ".head",
        ".lock",
        ".db",
        ".sqlite",
        ".log",
        ".url",
        ".toml",
        ".html",
    )
    wrong = []
    for file, tree in trees():
        for line, text, goes_on in literals(tree):
            if text.split(".")[0] not in areas or text.endswith(endings):
                continue
            if goes_on and re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_-]+)*[.-]", text):
                found = any(key.startswith(text) for key in known)
            elif not goes_on and KEY.fullmatch(text):
                found = text in known or is_module(text)
            else:
                continue
            if not found:
                wrong.append(f"{file}:{line}: {text}")
    assert wrong == []


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def test_an_unknown_key_is_a_bug_and_a_missing_field_too():
    say = words(Language.ENGLISH)
    with pytest.raises(KeyError):
        say("no.such.key")
    with pytest.raises(KeyError):
        say.error(DomainError("unknown-barcode"))
    assert "6901" in say.error(DomainError("unknown-barcode", code="6901"))


def test_each_language_calls_itself_by_its_own_name():
    assert [language.own_name for language in Language] == ["简体中文", "English"]
