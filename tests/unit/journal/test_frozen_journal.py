"""A journal written by release 1 opens in every later one, byte for byte and amount for amount."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from shared.errors import ProtocolError
from shared.journal.certificate import decode_certificate, verify_head
from shared.journal.chain import ChainHead, begin_chain, verify_next
from shared.journal.entry import decode_entry
from shared.ledger.posting import RULES
from shared.trade.kinds import FACTS, read_fact, write_fact
from tests.support import every_fact, every_spending, taxed_cards

VECTORS = Path(__file__).parents[2] / "vectors/journal"
FACTS_OF = {
    "release-1": every_fact.all_facts,
    "release-2": every_fact.since_release_1,
    "release-3": every_fact.since_release_2,
    "spending": every_spending.spending_facts,
    "members": every_fact.about_members,
    "partners": every_fact.of_partners_and_batches,
    "lots-that-live-on": every_fact.of_lots_that_live_on,
    "profiles": every_fact.about_profiles,
    "keys": every_fact.about_keys,
    "signatures": every_fact.about_signatures,
    "taxed-cards": taxed_cards.taxed_card_facts,
    "papers": every_fact.about_papers,
    "tiers": every_fact.about_tiers,
}
"""Frozen journals: kinds that came later stand in a chain of their own."""
ENTRIES = {
    "release-1": 24,
    "release-2": 2,
    "release-3": 6,
    "spending": 8,
    "members": 2,
    "partners": 2,
    "lots-that-live-on": 2,
    "profiles": 2,
    "keys": 2,
    "signatures": 2,
    "taxed-cards": 7,
    "papers": 2,
    "tiers": 3,
}


def read(name: str) -> dict[str, object]:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=FACTS_OF)
def frozen(request) -> dict[str, object]:
    return read(request.param)


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"vectors_{name}", VECTORS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def walk(frozen) -> ChainHead:
    certificate = frozen["certificate"].encode()
    decoded = decode_certificate(certificate)
    head = begin_chain(decoded.journal, decoded.epoch, certificate)
    for row in frozen["entries"]:
        head, chained = verify_next(head, row["bytes"].encode())
        assert chained.hash.hex() == row["hash"]
    return head


@pytest.mark.parametrize("name", FACTS_OF)
def test_an_independent_checker_accepts_the_frozen_chain(name):
    done = subprocess.run(
        [sys.executable, "-I", str(VECTORS / "check.py"), str(VECTORS / f"{name}.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{ENTRIES[name]} entries agree\n"


def test_the_independent_checker_can_fail():
    frozen = read("release-1")
    frozen["entries"][4]["bytes"] = frozen["entries"][4]["bytes"].replace(
        '"total":3250', '"total":3251'
    )
    with pytest.raises(ValueError, match="entry 4: hash"):
        load("check").check(frozen)


def test_this_release_walks_the_frozen_chain_and_its_signature(frozen):
    head = walk(frozen)
    certificate = decode_certificate(frozen["certificate"].encode())
    signature = bytes.fromhex(frozen["head_signature"])
    verify_head(certificate, seq=head.last_seq, head_hash=head.hash, signature=signature)
    with pytest.raises(ProtocolError, match="bad-signature"):
        verify_head(certificate, seq=head.last_seq - 1, head_hash=head.hash, signature=signature)


def test_every_kind_of_fact_is_frozen():
    rows = [row for name in FACTS_OF for row in read(name)["entries"]]
    kinds = [decode_entry(row["bytes"].encode()).envelope.kind for row in rows]
    assert set(kinds) == {fact.kind for fact in FACTS}


def test_frozen_facts_read_the_same_and_post_the_same(frozen):
    for row in frozen["entries"]:
        envelope = decode_entry(row["bytes"].encode()).envelope
        fact = read_fact(envelope)
        assert bytes(write_fact(fact)) == bytes(envelope.body)
        postings = RULES.post(envelope.id, fact, post_version=envelope.post_version)
        assert [[*posting.account, posting.amount] for posting in postings] == row["postings"]


@pytest.mark.parametrize("name", FACTS_OF)
def test_writing_the_same_day_again_gives_the_same_bytes(name):
    written = load("write").frozen_journal(FACTS_OF[name]())
    assert json.loads(json.dumps(written)) == read(name)
