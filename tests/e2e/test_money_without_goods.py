"""Money that goes back while the goods stay: at the till, in the books, and in the audit."""

from sqlalchemy import select

from desktop.services.returns import WITHOUT_GOODS, ReturnedBy
from shared.trade.fact import Approval
from sync_server.database import schema
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain

BISCUIT = BISCUITS.barcodes[0]


def refund(till, receipt_no, amount):
    approval = Approval(
        approval_id="a-1", action=WITHOUT_GOODS, approver_id=till.operator_id, amount=amount
    )
    by = ReturnedBy(
        shift=till.shift, operator_id=till.operator_id, reason="faulty", approvals=(approval,)
    )
    sold = till._sold(receipt_no)
    return till.till.returns.refund_amount(till.till.pricing(), sold, amount, by).fact


def exceptions(chain):
    chain.server.services.returns_audit.run()
    with chain.server.services.database.reading() as snapshot:
        return list(snapshot.connection.execute(select(schema.exceptions.c.rule)).scalars())


def test_an_amount_goes_back_at_another_till_and_the_goods_later(tmp_path):
    with LittleChain(tmp_path) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        sale = here.sell(*[BISCUIT] * 4, member=li).fact
        chain.drain()
        first = refund(there, sale.receipt_no, 10_00)
        assert (first.total, first.member.points.earned) == (10_00, -10)
        chain.drain()
        assert here.member(li.member_id).points == there.member(li.member_id).points == 40
        rest = there.take_back(sale.receipt_no, (1, 4)).fact
        assert rest.total == sale.total - 10_00
        chain.drain()
        assert here.member(li.member_id).points == 0
        assert exceptions(chain) == []
        chain.close()
        assert chain.reckon().differences == []


def test_two_tills_that_give_back_all_are_found_out(tmp_path):
    with LittleChain(tmp_path) as chain:
        here, there = chain.tills
        sale = here.sell(*[BISCUIT] * 4).fact
        chain.drain()
        assert there._sold(sale.receipt_no).sale == sale
        kept = there._sold(sale.receipt_no)
        refund(here, sale.receipt_no, 50_00)
        by = ReturnedBy(
            shift=there.shift,
            operator_id=there.operator_id,
            reason="faulty",
            approvals=(
                Approval(approval_id="a-2", action=WITHOUT_GOODS, approver_id=there.operator_id),
            ),
        )
        there.till.returns.refund_amount(there.till.pricing(), kept, 30_00, by)
        chain.drain()
        assert exceptions(chain) == ["receipt-returned-twice"]
