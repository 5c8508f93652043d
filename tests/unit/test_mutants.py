"""The planted bugs of ``make mutants`` fit the code as it is."""

import ast
from collections import Counter

import pytest

from tests.mutants.table import ROOT, mutants

MUTANTS = mutants()
WITHOUT_DECISIONS = {"__init__.py", "quote.py", "words.py"}
by_id = pytest.mark.parametrize("mutant", MUTANTS, ids=[one.id for one in MUTANTS])


def test_there_are_enough_under_names_of_their_own():
    assert len(MUTANTS) >= 30
    assert [name for name, count in Counter(one.id for one in MUTANTS).items() if count > 1] == []


@by_id
def test_a_mutant_changes_one_place_to_something_else_that_python_reads(mutant):
    assert mutant.places(ROOT) == 1
    assert mutant.old != mutant.new
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    changed = text.replace(mutant.old, mutant.new)
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text))


@by_id
def test_the_tests_that_are_to_catch_a_mutant_exist(mutant):
    assert mutant.tests or mutant.seeds
    files = [test.partition("::")[0] for test in mutant.tests]
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_every_module_of_the_price_engine_is_mutated():
    modules = {file.name for file in (ROOT / "shared" / "pricing").glob("*.py")}
    mutated = {one.file.rpartition("/")[2] for one in MUTANTS if "/pricing/" in one.file}
    assert modules - WITHOUT_DECISIONS - mutated == set()
