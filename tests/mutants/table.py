"""The planted bugs as data: which text of which file becomes what, and which tests must notice."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = (
    "pricing.toml",
    "loyalty.toml",
    "points.toml",
    "sync.toml",
    "leases.toml",
    "devices.toml",
    "paper.toml",
)
WHOLE = ("desktop", "hardware", "shared", "sync_server", "tests")
"""Everything that can change the outcome of a simulation."""
PURE = ("shared", "tests")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug that somebody could have written; ``why`` says what it would do to whom."""

    id: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...] = ()
    seeds: int = 0
    """How many runs of the simulation may look for it, after the tests."""

    @property
    def tops(self) -> tuple[str, ...]:
        """The folders that its outcome depends on."""
        return PURE if self.file.startswith("shared/") and not self.seeds else WHOLE

    def places(self, root: Path) -> int:
        """How often the text to be changed stands in the file: once, or the mutant has rotted."""
        file = root / self.file
        return file.read_text(encoding="utf-8").count(self.old) if file.exists() else 0

    def fingerprint(self, tree: str) -> str:
        """What an outcome is true for: this mutant on that state of code and tests."""
        told = "\0".join((tree, self.file, self.old, self.new, str(self.seeds), *self.tests))
        return hashlib.sha256(told.encode()).hexdigest()


def mutants() -> list[Mutant]:
    """All of them, in the order of the tables."""
    found: list[Mutant] = []
    for name in TABLES:
        table = tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
        tests = table.get("tests", {})
        for row in table["mutant"]:
            named = row.pop("tests", tests.get(row["file"], ()))
            found.append(Mutant(**row, tests=tuple(named)))
    return found


def tree_fingerprint(root: Path, tops: tuple[str, ...]) -> str:
    """One figure for all code and tests that an outcome depends on."""
    whole = hashlib.sha256()
    for top in tops:
        for file in sorted((root / top).rglob("*")):
            if file.suffix in {".py", ".toml", ".json"} and "mutants" not in file.parts:
                whole.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return whole.hexdigest()
