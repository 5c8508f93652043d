"""A sealed coupon is good for one use in the whole chain; a second one is found."""

from desktop.reckoning.file import read_server
from shared.loyalty.coupon_code import new_coupon_code
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain

BISCUIT = BISCUITS.barcodes[0]


def use(till, code: str) -> int:
    counter = till.till.counter()
    operator = till.till.operators.all()[0].operator_id
    shift = counter.shifts.current() or counter.shifts.open(operator, [])
    for _ in range(5):
        counter.scanning.scan(BISCUIT)
    before = counter.checkout.due().amount
    counter.scanning.scan(code)
    after = counter.checkout.due().amount
    counter.checkout.tender_cash()
    counter.checkout.finish(shift, operator)
    return before - after


def test_one_code_used_on_two_tills_is_an_exception_and_the_books_stay_equal(tmp_path):
    with LittleChain(tmp_path) as chain:
        first, second = chain.tills
        programme = first.till.pricing().programme
        key = first.till.identity.lookup_key
        code = new_coupon_code(key, programme.coupons[0].id)
        assert use(first, code) == 1000
        chain.drain()
        assert rules(chain) == []
        assert use(second, code) == 1000
        chain.drain()
        assert rules(chain) == ["coupon-overspent"]
        assert chain.reckon().differences == []


def rules(chain: LittleChain) -> list[str]:
    return [
        entry.told["body"]["rule"]
        for entry in read_server(chain.server.database).entries()
        if entry.told["kind"] == "exception_raised"
    ]
