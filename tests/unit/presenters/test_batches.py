"""Goods whose batch lapses or is called back while they wait in the basket."""

from dataclasses import replace

from desktop.presenters.intent import Key
from desktop.store.catalogue import apply_goods
from shared.catalogue.batches import Batch
from tests.support.enrolled_till import goods_row
from tests.support.till_fixture import CHIPS, MORNING

TODAY = MORNING.date()
LABEL = f"]d201{CHIPS.barcodes[0].zfill(14)}10A7"
DAY_S = 24 * 3600


def learn(selling, goods, *batches):
    known = goods_row(replace(goods, batches=batches))
    selling.till.books.writer.run(lambda writing: apply_goods(writing.connection, [known]))


def test_goods_are_sold_until_their_last_day(selling):
    learn(selling, CHIPS, Batch(batch="A7", last_day=TODAY))
    selling.scan(LABEL)
    assert selling.amounts == [750]
    selling.clock.advance(seconds=DAY_S)
    selling.press(Key.PLUS)
    assert selling.told.key == "error.batch-lapsed"
    selling.press(Key.DELETE)
    selling.scan(LABEL)
    assert (selling.amounts, selling.told.key) == ([], "error.batch-lapsed")


def test_a_batch_that_is_called_back_while_its_goods_are_in_the_basket_is_not_sold(selling):
    selling.scan(LABEL)
    learn(selling, CHIPS, Batch(batch="A7", is_recalled=True))
    selling.press(Key.PLUS)
    assert (selling.told.key, selling.tickets) == ("error.batch-recalled", 0)


def test_a_batch_called_back_stops_goods_without_a_label_only_where_no_other_is_known(selling):
    learn(selling, CHIPS, Batch(batch="A7", is_recalled=True), Batch(batch="A8"))
    selling.scan(CHIPS.barcodes[0])
    assert selling.amounts == [750]
    selling.scan(LABEL)
    assert (selling.amounts, selling.told.key) == ([750], "error.batch-recalled")
    learn(selling, CHIPS, Batch(batch="A7", is_recalled=True))
    selling.scan(CHIPS.barcodes[0])
    assert (selling.amounts, selling.told.key) == ([750], "error.batch-recalled")
    selling.scan(LABEL.replace("A7", "B1"))
    assert selling.amounts == [750, 750]
