"""The planted bugs as data: which text of which file becomes what, and which tests must notice."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = ("pricing.toml", "loyalty.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug that somebody could have written; ``why`` says what it would do to whom."""

    id: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]

    def places(self, root: Path) -> int:
        """How often the text to be changed stands in the file: once, or the mutant has rotted."""
        file = root / self.file
        return file.read_text(encoding="utf-8").count(self.old) if file.exists() else 0

    def fingerprint(self, tree: str) -> str:
        """What an outcome is true for: this mutant on that state of code and tests."""
        told = "\0".join((tree, self.file, self.old, self.new, *self.tests))
        return hashlib.sha256(told.encode()).hexdigest()


def mutants() -> list[Mutant]:
    """All of them, in the order of the tables."""
    found: list[Mutant] = []
    for name in TABLES:
        table = tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
        tests = table["tests"]
        found += [Mutant(**row, tests=tuple(tests[row["file"]])) for row in table["mutant"]]
    return found


def tree_fingerprint(root: Path) -> str:
    """One figure for all code and tests that an outcome depends on."""
    whole = hashlib.sha256()
    for top in ("shared", "tests"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix in {".py", ".toml", ".json"} and "mutants" not in file.parts:
                whole.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return whole.hexdigest()
