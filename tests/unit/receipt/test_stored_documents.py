"""A paper that waits in a file comes out as it was asked for."""

import msgspec
import pytest

from shared.receipt.builder import receipt_of
from shared.receipt.document import Block, Document, Heading, Item, Logo, Table
from shared.receipt.stored import restored, stored
from tests.unit.receipt.sample_facts import ALL_FACTS, issue, loose_papers


def every_paper() -> list[Document]:
    made = [receipt_of(fact, issue()) for fact in ALL_FACTS]
    return [*loose_papers(issue()), *(one for one in made if one is not None)]


def test_every_paper_comes_back_from_a_file_as_it_was() -> None:
    papers = every_paper()
    for paper in papers:
        told = msgspec.json.decode(msgspec.json.encode(stored(paper)))
        assert restored(told) == paper
    kinds = {type(block) for paper in papers for block in paper.blocks}
    assert kinds == set(Block.__args__), "every kind of block was tried"
    assert {Logo, Heading, Item, Table} <= kinds


@pytest.mark.parametrize(
    ("kind", "told"), [("barcode", {"digits": 12}), ("text", {}), ("cut-off", {})]
)
def test_what_was_never_written_is_refused(kind: str, told: dict[str, object]) -> None:
    with pytest.raises((msgspec.ValidationError, KeyError)):
        restored(((kind, told),))
