"""Tricks of a thief who has a till's key, its disk, or a place on the network.

Nobody can stop a till from writing: what it does is refused at once, counts for nothing, or is in
head office's inbox with the sync that brings it.
"""

from dataclasses import replace

import msgspec
import pytest

from shared.errors import DomainError
from shared.ids import LeaseId, LotId, TillId
from shared.journal.keys import new_signing_key
from shared.loyalty.conditions import Around
from shared.pricing.basket import MemberContext
from shared.protocol.lease import lease_of
from shared.protocol.message import (
    PROTOCOL,
    EnrolReply,
    EnrolRequest,
    PullReply,
    PullRequest,
    PushReply,
    Stream,
)
from shared.protocol.request_signature import sign_request
from shared.trade.fact import Approval, CouponIssued, LotDraw, OfferApplied
from shared.trade.lease import LeaseClosed, LeaseEnd
from shared.trade.profile import MemberProfile
from shared.trade.server import PointsTransferred
from shared.trade.till import CashDirection, CashMoved
from sync_server.ledger.finding import Rule
from sync_server.ledger.own_card import SALES_A_DAY_MAX
from sync_server.members.merging import Verified
from tests.fraud.conftest import RULES, TEA
from tests.pricing_builders import basket, line
from tests.support.priced_facts import sale_of
from tests.support.till_writer import Refused, where


def refused(call, *arguments, **named) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments, **named)
    assert 400 <= caught.value.status < 500
    return caught.value.reply.code


def test_a_cloned_disk_sells_beside_the_first(shop):
    till = shop.till()
    till.sell(100)
    shop.push(till)
    clone = till.copy(1)
    till.sell(200)
    clone.sell(300)
    assert shop.push(till) == set()
    assert Rule.FORK in {one.rule for one in shop.server.line.push(clone, 1).exceptions}
    assert shop.server.line.push(till, 1).enrol_again


def test_a_disk_set_back_after_points_were_spent_spends_them_again(shop):
    till = shop.till()
    member, lot = shop.member(till, 100)
    image = till.copy(len(till.entries))
    grant = shop.lease(till, member).granted
    lease = lease_of(grant, shop.server.services.vault.signing.public, till.journal).lease_id
    shop.spend(till, member, lot, 50, lease)
    assert shop.push(till) == set()
    shop.spend(image, member, lot, 50, lease)
    told = {one.rule for one in shop.server.line.push(image, 2).exceptions}
    assert {Rule.FORK, Rule.LEASE_OVERSPENT} <= told
    assert shop.lease(till, member) is None


def test_a_push_is_sent_again(shop):
    till = shop.till()
    member, _lot = shop.member(till, 40)
    inbox = shop.inbox()
    for _ in range(2):
        shop.server.line.push(till)
    assert shop.points(member) == 40
    assert shop.inbox() == inbox


def test_a_signed_request_is_sent_again_with_other_words(shop):
    till = shop.till()
    request = PullRequest(protocol=PROTOCOL, stream=Stream.CATALOGUE, cursor=None)
    nonce = shop.server.line.hello().nonce
    signed = sign_request(
        till.key,
        method="POST",
        path="/v1/sync/pull",
        body=msgspec.msgpack.encode(request),
        nonce=nonce,
    )
    more = msgspec.msgpack.encode(msgspec.structs.replace(request, stream=Stream.MEMBERS))
    headers = {"Content-Type": "application/msgpack", **signed}
    answer = shop.server.line.client.post("/v1/sync/pull", content=more, headers=headers)
    assert answer.status_code == 401


def test_a_till_that_nobody_enrolled_pushes_and_pulls(shop):
    till = shop.till()
    till.sell(100)
    forged = till.copy(1)
    forged.key = new_signing_key()
    assert refused(shop.server.line.push, forged) == "bad-signature"
    request = PullRequest(protocol=PROTOCOL, stream=Stream.MEMBERS, cursor=None)
    stranger = new_signing_key()
    code = refused(shop.server.line.post, "/v1/sync/pull", request, PullReply, signer=stranger)
    assert code == "unknown-key"


def test_an_entry_is_changed_on_its_way(shop):
    till = shop.till()
    till.sell(10_000)
    request = till.push_request()
    cheaper = tuple(one.replace(b"10000", b"10001") for one in request.entries)
    assert cheaper != request.entries
    forged = msgspec.structs.replace(request, entries=cheaper)
    assert refused(shop.server.line.post, "/v1/sync/push", forged, PushReply) == "broken-chain"
    assert shop.push(till) == set()


def test_an_enrolment_code_is_guessed(shop):
    services = shop.server.services
    store = services.stores.add_store("guessed", "Asia/Shanghai")
    till = services.stores.add_till(store.store_id, "guessed")
    code = services.enrolment.issue_code(till.till_id)
    for last in "ABCDE":
        guess = code[:-1] + (last if code[-1] != last else "F")
        request = EnrolRequest(
            protocol=PROTOCOL, code=guess, public_key=str(new_signing_key().public)
        )
        assert refused(shop.server.line.post, "/v1/enrol", request, EnrolReply) == "code-refused"
    # By now the right one is dead as well.
    assert refused(shop.server.line.enrol, code) == "code-refused"


def test_a_stolen_till_goes_on(shop):
    till = shop.till()
    member, _lot = shop.member(till, 10)
    shop.server.services.commands.revoke(TillId(till.certificate.till_id))
    till.sell(100_000, member=member, earned=1_000)
    shop.push(till)
    assert shop.points(member) == 10
    waiting = shop.server.services.quarantine.waiting()
    assert "revoked-till" in {one.reason for one in waiting if one.journal == till.journal}
    assert refused(shop.server.line.pull, till, Stream.MEMBERS) == "revoked-key"


def test_a_till_speaks_as_head_office(shop):
    till = shop.till()
    member, _lot = shop.member(till, 10)
    till.write(
        PointsTransferred(
            natural_key="mine",
            reason="adjustment",
            from_member=None,
            from_lots=(),
            to_member=member,
            to_lots=(LotDraw(lot=LotId("gift"), points=5_000),),
        )
    )
    shop.push(till)
    assert shop.points(member) == 10
    waiting = shop.server.services.quarantine.waiting()
    assert [one.reason for one in waiting if one.journal == till.journal] == ["fact-of-server"]


def test_the_cashiers_own_card_is_shown_at_strangers_sales(shop):
    till = shop.till()
    member, _lot = shop.member(till)
    for _ in range(SALES_A_DAY_MAX):
        till.sell(1_000, member=member, earned=10)
    assert shop.push(till) == set()
    till.sell(1_000, member=member, earned=10)
    assert shop.push(till) == {Rule.MEMBER_TOO_OFTEN}
    # The next day is a new one.
    till.clock.advance(days=1)
    till.sell(1_000, member=member, earned=10)
    assert shop.push(till) == set()


def test_goods_come_back_that_nobody_bought(shop):
    till = shop.till()
    till.take_back("0193f0a0-0000-7000-8000-000000000000", 9_900)
    shop.push(till)
    assert shop.audited() == {Rule.RETURN_WITHOUT_SALE}


def test_one_receipt_comes_back_at_two_tills(shop):
    first, second = shop.till(), shop.till()
    sale = first.sell(9_900)
    first.take_back(sale, 9_900)
    second.take_back(sale, 9_900)
    assert shop.push(first) == set()
    assert shop.push(second) == {Rule.RETURNED_TWICE}


def test_a_return_gives_back_more_than_was_paid(shop):
    till = shop.till()
    sold = sale_of(basket(line(TEA), at=till.clock.at), RULES, shop.rules)
    sale = till.write(msgspec.structs.replace(sold, **place(till)))
    back = till.take_back(sale, 99_00)
    shop.push(till)
    assert shop.audited() == {Rule.RETURNED_OTHERWISE}
    assert f"returned-otherwise:{back}" in shop.inbox()


def place(till) -> dict[str, object]:
    """Where a sale was rung up, as its till says."""
    known = where(till)
    return {name: known[name] for name in ("store_id", "till_id", "receipt_no")}


def test_a_birthday_is_claimed_on_another_day(shop):
    till = shop.till()
    member, _lot = shop.member(till, birthday="--08-15")
    shopping = basket(line(TEA), at=till.clock.at)
    context = MemberContext(tier="member", birthday=(Around.DAY,))
    sold = sale_of(replace(shopping, member=context), RULES, shop.rules, member=member)
    assert sold.total == 10_50
    till.write(msgspec.structs.replace(sold, **place(till)))
    shop.push(till)
    assert Rule.CLAIMED_OTHERWISE in shop.audited()


def test_a_line_is_charged_below_its_price(shop):
    till = shop.till()
    cheap = replace(TEA, list_price_minor=1_00)
    sold = sale_of(basket(line(cheap), at=till.clock.at), RULES, shop.rules)
    lines = [msgspec.structs.replace(one, list_price=12_50) for one in sold.lines]
    till.write(msgspec.structs.replace(sold, **place(till), lines=tuple(lines)))
    shop.push(till)
    assert Rule.PRICED_OTHERWISE in shop.audited()


def test_a_price_is_changed_in_the_tills_own_file(shop):
    till = shop.till()
    cheap = replace(TEA, list_price_minor=1_00)
    for article, told in ((TEA, set()), (cheap, {Rule.LISTED_OTHERWISE})):
        sold = sale_of(basket(line(article), at=till.clock.at), RULES, shop.rules)
        till.write(msgspec.structs.replace(sold, **place(till)))
        shop.push(till)
        assert shop.audited() == told


def test_points_are_spent_that_are_not_there(shop):
    till = shop.till()
    member, lot = shop.member(till, 10)
    shop.spend(till, member, lot, 500)
    assert shop.push(till) == {Rule.LOT_OVERSPENT, Rule.SPENT_WITHOUT_LEASE}


def test_a_lease_is_used_after_it_was_closed(shop):
    till = shop.till()
    member, lot = shop.member(till, 100)
    lease = granted(shop, till, member)
    till.write(
        LeaseClosed(
            lease_id=lease, till_id=where(till)["till_id"], spent=0, reason=LeaseEnd.EXPIRED
        )
    )
    shop.spend(till, member, lot, 10, lease)
    assert shop.push(till) == {Rule.LEASE_CLOSED}


def granted(shop, till, member) -> LeaseId:
    grant = shop.lease(till, member).granted
    assert grant is not None
    return lease_of(grant, shop.server.services.vault.signing.public, till.journal).lease_id


def test_a_lease_of_another_till_is_used(shop):
    till, thief = shop.till(), shop.till()
    member, lot = shop.member(till, 100)
    shop.spend(thief, member, lot, 10, granted(shop, till, member))
    assert shop.push(thief) == {Rule.LEASE_FOREIGN}


def test_a_lease_is_invented(shop):
    till = shop.till()
    member, lot = shop.member(till, 100)
    shop.spend(till, member, lot, 10, "mine")
    assert shop.push(till) == {Rule.LEASE_UNKNOWN}


def test_a_lease_is_used_when_its_day_is_over(shop):
    till = shop.till()
    member, lot = shop.member(till, 100)
    lease = granted(shop, till, member)
    till.clock.advance(days=2)
    shop.spend(till, member, lot, 10, lease)
    assert Rule.LEASE_EXPIRED in shop.push(till)


def test_a_coupon_is_used_at_two_tills(shop):
    first, second = shop.till(), shop.till()
    coupon = "c" * 32
    applied = OfferApplied(
        offer_id="off", version=1, names={"en": "off"}, amount=1_00, coupon_id=coupon
    )
    issued = CouponIssued(coupon_id=coupon, offer_id="off", valid_from="", valid_until="")
    for till, extra in ((first, {"coupons_issued": (issued,)}), (first, {}), (second, {})):
        sold = sale_of(basket(line(TEA), at=till.clock.at), RULES, shop.rules)
        offers = () if extra else (applied,)
        till.write(msgspec.structs.replace(sold, **place(till), offers=offers, **extra))
    assert shop.push(first) == set()
    assert shop.push(second) == {Rule.COUPON_OVERSPENT}
    shop.audited()


def test_an_approval_is_used_again(shop):
    till = shop.till()
    allowed = Approval(approval_id="once", action="paid-out", approver_id="boss", amount=5_000)
    known = where(till)
    out = CashMoved(
        **{name: known[name] for name in ("shift_id", "store_id", "till_id", "operator_id")},
        currency="CNY",
        direction=CashDirection.PAID_OUT,
        amount=5_000,
        reason="stamps",
        approvals=(allowed,),
    )
    till.write(out)
    assert shop.push(till) == set()
    till.write(out)
    assert shop.push(till) == {Rule.APPROVAL_REPLAYED}
    other = shop.till()
    other.write(out)
    assert shop.push(other) == {Rule.APPROVAL_REPLAYED}


def test_a_strangers_phone_is_enrolled_to_get_at_their_points(shop):
    till = shop.till()
    member, _lot = shop.member(till, 100, phone="13700137000")
    thief = till.enrol_member(MemberProfile(name="Thief", phone="13700137000"))
    assert shop.push(till) == {Rule.DUPLICATE_MEMBER_KEY}
    assert shop.found_by(till, "13700137000") == [member]
    assert shop.lease(till, thief).granted is None
    assert shop.points(thief) == 0


def test_a_member_is_enrolled_anew_to_become_them(shop):
    till = shop.till()
    member, _lot = shop.member(till, 100)
    thief = shop.till()
    thief.enrol_member(MemberProfile(name="Thief", phone="13700137111"), member)
    assert shop.push(thief) == {Rule.ENROLLED_TWICE}
    assert shop.found_by(till, "13700137111") == []


def test_a_recycled_number_gives_nothing_of_who_had_it(shop):
    till = shop.till()
    before, _lot = shop.member(till, 100, phone="13700137222")
    shop.server.services.erasure.erase(before, reason="request")
    after, _none = shop.member(till, phone="13700137222")
    assert shop.found_by(till, "13700137222") == [after]
    assert shop.points(after) == 0
    assert shop.lease(till, before).granted is None


def test_a_members_phone_is_moved_to_the_cashiers(shop):
    till = shop.till()
    member, _lot = shop.member(till, 100)
    till.change_member(member, phone="13700137333")
    assert shop.push(till) == {Rule.PROFILE_DIFFERS}


def test_a_clock_is_set_ahead_so_that_nobody_can_correct_a_profile(shop):
    till, thief = shop.till(), shop.till()
    member, _lot = shop.member(till)
    thief.clock.advance(days=365)
    thief.change_member(member, name="Mine")
    assert shop.push(thief) == {Rule.CLOCK_SUSPECT}
    assert shop.server.services.profiles.change(member, {"name": "Li Lei again"})
    found = shop.server.line.pull(till, Stream.MEMBERS)
    assert b"Li Lei again" in b"".join(map(bytes, found.rows))


def test_a_merge_is_undone_after_its_points_were_spent(shop):
    till = shop.till()
    into, _lot = shop.member(till, 100)
    alias, lot = shop.member(till, 40)
    merge = shop.server.services.merging.merge(alias, into, verified=Verified.OFFICE)
    lease = granted(shop, till, into)
    shop.spend(till, into, lot, 40, lease)
    assert shop.push(till) == set()
    shop.server.services.merging.unmerge(merge)
    assert shop.inbox()[f"unmerged-short:{merge}"] == Rule.UNMERGED_SHORT
    with pytest.raises(DomainError, match="merge-undone"):
        shop.server.services.merging.unmerge(merge)
