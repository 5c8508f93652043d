"""Two members who turn out to be one: what each had and did is the one's that stays.

Nothing is counted twice and nothing is lost: what one member with both histories would have. What
names a lot, an entry of a draw or the member goes on to name the same.
"""

from dataclasses import replace
from datetime import date
from itertools import chain

import msgspec

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.lots import DEBT
from shared.loyalty.wallet import plus
from shared.pricing.basket import CouponClaim
from shared.workbench import later_steps as told
from shared.workbench.account import Account
from shared.workbench.scenario import Person
from shared.workbench.shop import Shop


def merge_members(shop: Shop, step: told.MergeMembers) -> None:
    """Everything of ``member`` is ``into``'s, and ``member`` is no more.

    Raises DomainError ``no-such-member`` or ``merge-with-itself``.
    """
    gone, stays = shop.member_account(step.member), shop.member_account(step.into)
    if gone is stays or shop.member == step.member:
        raise DomainError("merge-with-itself", member=step.member)
    today = shop.at.date()
    for one in (gone, stays):
        one.lapse(shop.programme, today)
    names = _lots(gone, stays)
    stays.pay_debt(today)
    stays.spending += gone.spending
    stays.wallet = plus(stays.wallet, gone.wallet)
    for card, stamps in gone.stamps.items():
        # A card that both together have filled is full with the next of its goods.
        stays.stamps[card] = stays.stamps.get(card, 0) + stamps
    stays.stamped_on.update(gone.stamped_on)
    stays.uses.update(gone.uses)
    stays.uses_on.update(gone.uses_on)
    stays.acted_on.update(gone.acted_on)
    stays.friends += gone.friends
    stays.is_referral_paid |= gone.is_referral_paid
    stays.last_active = max(filter(None, (stays.last_active, gone.last_active)), default=None)
    ladder = [tier.id for tier in shop.programme.tiers.ladder]
    stays.person = _one_person(stays.person, gone.person, ladder)
    del shop.accounts[step.member]
    _rename(shop, step.member, step.into, names)


def _lots(gone: Account, stays: Account) -> dict[LotId, LotId]:
    """What was earned and is owed; the new names of lots, where both had one of that name.

    What is owed stays what is owed, and is one sum.
    """
    known = {lot.lot for lot in stays.lots}
    names: dict[LotId, LotId] = {}
    for lot in gone.lots:
        owed = next((one for one in stays.lots if one.lot == lot.lot == DEBT), None)
        if owed is not None:
            stays.lots.remove(owed)
            stays.lots.append(replace(owed, points=owed.points + lot.points))
        else:
            if lot.lot in known:
                names[lot.lot] = LotId(f"{gone.person.id}/{lot.lot}")
            stays.lots.append(replace(lot, lot=names.get(lot.lot, lot.lot)))
    stays.moves += [replace(one, lot=names.get(LotId(one.lot), one.lot)) for one in gone.moves]
    return names


def _one_person(stays: Person, gone: Person, ladder: list[str]) -> Person:
    """The higher tier set by hand, or the longer of two; nobody referred themselves."""

    def floor(one: Person) -> tuple[int, date]:
        level = ladder.index(one.tier_floor) if one.tier_floor in ladder else -1
        return level, one.floor_until or date.max

    higher = max(stays, gone, key=floor)
    referrers = [one for one in (stays.referred_by, gone.referred_by) if one]
    return msgspec.structs.replace(
        stays,
        tier_floor=higher.tier_floor,
        floor_until=higher.floor_until,
        birthday=stays.birthday or gone.birthday,
        segments=tuple(dict.fromkeys((*stays.segments, *gone.segments))),
        referred_by=next((one for one in referrers if one not in {stays.id, gone.id}), ""),
    )


def _rename(shop: Shop, gone: str, stays: str, lots: dict[LotId, LotId]) -> None:
    """Whatever names the member that is no more, or one of their lots by its old name."""

    def claims(own: list[CouponClaim]) -> list[CouponClaim]:
        return [replace(one, bearer=stays) if one.bearer == gone else one for one in own]

    shop.claims = claims(shop.claims)
    for name, held in list(shop.held.items()):
        member = stays if held.member == gone else held.member
        shop.held[name] = replace(held, member=member, claims=tuple(claims(list(held.claims))))
    for draw, entries in shop.entries.items():
        shop.entries[draw] = [
            replace(one, member=stays) if one.member == gone else one for one in entries
        ]
    for code in shop.coupons.values():
        if code.member == gone:
            code.member = stays
    for sold in shop.sold.values():
        sold.rename_member(gone, stays, lots)
    for sale in chain(*shop.partner_sales.values()):
        sale.rename_member(gone, stays, lots)
    for account in shop.accounts.values():
        if account.person.referred_by == gone:
            account.person = msgspec.structs.replace(account.person, referred_by=stays)
