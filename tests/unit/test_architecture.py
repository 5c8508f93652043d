"""The shape of the house: who stands on whom, and what a till does not load."""

import ast
import importlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("desktop", "hardware", "shared", "sync_server")
BIN = Path(sys.executable).parent

HEAVY = ("alembic", "barcode", "escpos", "pypinyin", "openpyxl", "keyring")
"""Each costs a tenth of a second or tens of megabytes; none is needed to sell."""

FIRST_SALE = """
import json, sys, tempfile
from pathlib import Path
from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from shared.trade.fact import CashCount
book = built_in_profiles()
encoder = Encoder(book.profile("gb"), book.paper("80mm"))
till = Till(OpenStore(TillFolder(Path(sys.argv[1]))), Surroundings(encoder=encoder))
counter = till.counter()
operator = till.operators.all()[0].operator_id
shift = counter.shifts.open(operator, [CashCount(denomination=100, pieces=1)])
counter.scanning.scan("6901285991219")
counter.checkout.tender_cash()
sale = counter.checkout.finish(shift, operator)
till.close()
print(json.dumps({"total": sale.fact.total, "modules": sorted(sys.modules)}))
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_contracts_between_packages_are_kept():
    done = run(str(BIN / "lint-imports"), "--no-cache")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("name", PACKAGES)
def test_the_four_package_names_are_ours_alone(name):
    # An editable install names no packages; any other distribution that does would shadow ours.
    claimed = importlib.metadata.packages_distributions().get(name, [])
    assert set(claimed) <= {"evertill"}
    package = importlib.import_module(name)
    assert package.__file__ is not None
    assert Path(package.__file__).is_relative_to(ROOT)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a fresh process has imported after its first sale."""
    from tests.support.enrolled_till import enrol_locally  # noqa: PLC0415 - this process may

    folder = tmp_path_factory.mktemp("first-sale") / "till"
    enrol_locally(folder)
    done = run(sys.executable, "-c", FIRST_SALE, str(folder))
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["total"] == 200
    return told


@pytest.mark.parametrize("heavy", HEAVY)
def test_the_first_sale_loads_nothing_heavy(loaded, heavy):
    assert not [name for name in loaded["modules"] if name.split(".")[0] == heavy]


def test_services_store_and_sync_know_no_window(loaded):
    assert not [name for name in loaded["modules"] if name.startswith("PySide6")]
    assert not [name for name in loaded["modules"] if name.startswith("desktop.ui")]


def test_shared_loads_neither_windows_nor_databases_nor_the_network():
    modules = sorted(
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in (ROOT / "shared").rglob("*.py")
    )
    script = (
        "import importlib, json, sys\n"
        "[importlib.import_module(name) for name in json.loads(sys.argv[1])]\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = run(sys.executable, "-c", script, json.dumps(modules))
    assert done.returncode == 0, done.stderr[-2000:]
    unwanted = {"PySide6", "sqlalchemy", "sqlite3", "sqlcipher3", "psycopg", "alembic"}
    unwanted |= {"requests", "httpx", "fastapi", "uvicorn", "serial", "escpos"}
    assert unwanted & set(json.loads(done.stdout)) == set()
    assert len(modules) > 50


def test_nothing_reads_the_wall_clock_or_sleeps_behind_the_injected_one():
    """``shared``, the services and the store ask the clock they are given."""
    allowed = {Path("shared/clock.py")}
    found = []
    for folder in ("shared", "desktop/services", "desktop/store", "desktop/presenters"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            place = file.relative_to(ROOT)
            if place in allowed:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                    continue
                owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
                called = f"{owner}.{node.func.attr}"
                if called in {
                    "datetime.now",
                    "datetime.utcnow",
                    "time.time",
                    "time.sleep",
                    "time.monotonic",
                    "date.today",
                }:
                    found.append(f"{place}:{node.lineno}: {called}")
    assert found == []


def test_no_float_stands_where_money_points_and_quantities_are_made():
    """A float literal in the rules of money would be the beginning of a lost cent."""
    found = []
    for name in ("ledger", "loyalty", "pricing", "returning", "trade"):
        folder = f"shared/{name}"
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
                is_call = isinstance(node, ast.Name) and node.id == "float"
                is_division = is_number_divided(node)
                if is_literal or is_call or is_division:
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def is_number_divided(node: ast.AST) -> bool:
    """A ``/`` that does not join a path."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return False
    names_file = isinstance(node.right, ast.JoinedStr) or (
        isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)
    )
    return not names_file


def test_every_package_says_what_it_is_for():
    silent = [
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in file.parts
        and not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert silent == []
