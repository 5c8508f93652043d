"""A batch that was sold is called back: tills stop, head office finds who has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import DomainError
from sync_server.catalogue.recalls import SoldOfBatch, sold_of_batch
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

GTIN = BISCUITS.barcodes[0].zfill(14)
L1, L2 = f"]d201{GTIN}10L1", f"]d201{GTIN}10L2"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path) as made:
        yield made


def sold(chain: LittleChain, batch: str) -> list[SoldOfBatch]:
    with chain.server.services.database.reading() as snapshot:
        return list(sold_of_batch(snapshot, BISCUITS.sku, batch))


def batches(till: TillHere) -> list[tuple[str, int]]:
    return [(one.batch, one.units) for one in till.counter.checkout.basket.state.lines]


def test_a_batch_that_is_called_back_is_sold_no_more_and_found(chain: LittleChain) -> None:
    here, there = chain.tills
    li = here.enrol("李雷", phone="13800138000")
    sale = here.sell(L1, L2, L1, member=li)
    assert [(one.batch, one.quantity) for one in sale.fact.lines] == [("L2", 1), ("L1", 2)]
    other = there.sell(L1, BISCUITS.barcodes[0])
    chain.drain()
    chain.server.services.catalogue.recall(BISCUITS.sku, "L1")
    # Until it hears of it, a till sells on.
    assert there.sell(L1).fact.lines[0].batch == "L1"
    chain.drain()
    for till in chain.tills:
        till.counter.checkout.clear()
        with pytest.raises(DomainError, match="batch-recalled"):
            till.counter.scanning.scan(L1)
        till.counter.scanning.scan(L1, comes_in=True)
        till.counter.scanning.scan(L2)
        assert batches(till) == [("L1", 1), ("L2", 1)]
    found = sold(chain, "L1")
    assert [(one.receipt_no, one.quantity, one.member_id) for one in found[:1]] == [
        (sale.fact.receipt_no, 2, li.member_id)
    ]
    assert [one.quantity for one in found] == [2, 1, 1]
    assert found[1].receipt_no == other.fact.receipt_no
    assert found[1].till_id == there.till.identity.till_id
    assert sold(chain, "L") == []
    chain.server.services.catalogue.recall(BISCUITS.sku, "L1", is_recalled=False)
    chain.drain()
    assert here.sell(L1).fact.lines[0].batch == "L1"
