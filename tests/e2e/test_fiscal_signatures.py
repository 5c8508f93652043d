"""A day at a till with a fiscal device, as head office sees it."""

import httpx

from desktop.reckoning.file import read_server
from desktop.services.returns import ReturnedBy
from hardware.simulators.fiscal import LocalFiscalDevice
from shared.receipt.voice import PaperLanguage
from shared.returning.lines import Wanted
from tests.e2e.test_receipt_pages import address, document_of, paper_of, rows_of, tickets
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]


def with_device(till: TillHere) -> LocalFiscalDevice:
    """Open a till again with a device beside it."""
    device = LocalFiscalDevice()
    till.around = {**till.around, "fiscal": device}
    till.restart()
    return device


def unsigned(chain: LittleChain) -> int:
    return sum(state.unsigned for state in chain.server.services.stores.states())


def test_signatures_that_come_late_change_no_book_and_no_audit_minds_them(tmp_path):
    with LittleChain(tmp_path) as chain:
        here, there = chain.tills
        device = with_device(here)
        member = here.enrol("李雷", phone="13800138000")
        sale = here.sell(BISCUIT, BISCUIT, member=member)
        device.is_missing = True
        here.till.fiscal.work()
        here.sell(BISCUIT)
        there.sell(BISCUIT)
        chain.drain()
        assert unsigned(chain) == 2
        device.is_missing = False
        assert here.till.fiscal.work() is None
        here.till.returns.take_back(
            here.till.pricing(),
            here.till.returns.by_receipt(sale.fact.receipt_no),
            [Wanted(1, 1)],
            ReturnedBy(shift=here.shift, operator_id=here.operator_id, reason="changed mind"),
        )
        here.till.fiscal.work()
        chain.drain()
        assert unsigned(chain) == 0
        assert len(device.inside.signed) == 3
        services = chain.server.services
        for audit in (services.audit, services.returns_audit):
            done = audit.run()
            assert (done.different, dict(done.unjudged)) == (0, {})
        assert chain.reckon().differences == []
        kinds = [entry.told["kind"] for entry in read_server(chain.server.database).entries()]
        assert kinds.count("fiscal_recorded") == 4  # one failure, three signatures
        assert "exception_raised" not in kinds


def pages(chain: LittleChain, till: TillHere) -> list[tuple[list[str], list[str]]]:
    """Of each ticket of a till: the rows on the page, and those that the till prints by now."""
    with httpx.Client(base_url=chain.server.url, headers={"accept-language": "zh"}) as client:
        found = []
        for entry, hash_, fact in tickets(till.till):
            page = client.get(f"{address(hash_, fact)}?language=zh")
            assert page.status_code == 200
            document = document_of(till.till, entry, PaperLanguage.CHINESE)
            found.append((paper_of(page.text), rows_of(document)))
    return found


def test_the_page_of_a_receipt_bears_the_signature_that_the_paper_bears(tmp_path):
    with LittleChain(tmp_path) as chain:
        here = chain.tills[0]
        device = with_device(here)
        signed = here.sell(BISCUIT)
        here.till.fiscal.work()
        device.is_missing = True
        here.sell(BISCUIT)
        chain.drain()
        ((first, printed), (waiting, _)) = pages(chain, here)
        assert first == printed
        (made,) = device.inside.signed.values()
        assert made.signature.signature in "".join(first)
        assert not [row for row in waiting if "签名" in row], "nobody knows by now"
        here.till.fiscal.work()
        chain.drain()
        for page, paper in pages(chain, here):
            assert page == paper
        assert [row for row in pages(chain, here)[1][0] if "签名" in row], "it says: not signed"
        device.is_missing = False
        here.till.fiscal.work()
        chain.drain()
        later = pages(chain, here)
        assert all(page == paper for page, paper in later)
        assert later[1][0] != waiting
        assert signed.fact.receipt_no in "".join(later[0][0])
