"""Checks the frozen journal with nothing but json and hashlib: no code of the product.

Usage: ``python tests/vectors/journal/check.py FILE``; exits 1 naming the first entry that is wrong.
"""

import hashlib
import json
import sys
from pathlib import Path


def check(document: dict) -> int:
    """Walk the chain; returns how many entries it holds or raises ValueError."""
    certificate = document["certificate"].encode()
    previous = hashlib.sha256(b"evertill/epoch/1" + certificate).digest()
    if previous.hex() != document["genesis"]:
        raise ValueError("genesis")
    for seq, row in enumerate(document["entries"]):
        encoded = row["bytes"].encode()
        entry = json.loads(encoded)
        if (entry["format"], entry["seq"]) != (1, seq):
            raise ValueError(f"entry {seq}: place")
        previous = hashlib.sha256(b"evertill/entry/1" + previous + encoded).digest()
        if previous.hex() != row["hash"]:
            raise ValueError(f"entry {seq}: hash")
    return len(document["entries"])


if __name__ == "__main__":
    try:
        print(check(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), "entries agree")
    except ValueError as error:
        sys.exit(f"the frozen journal is broken at: {error}")
