"""A basket as it is kept while it is not on the screen, or in case the till dies with it."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import msgspec

from desktop.services.basket import BasketState
from desktop.store.members import Member
from shared.catalogue.goods import Goods
from shared.ids import GoodsId, MemberId
from shared.pricing.basket import BasketLine, CouponClaim, HandDiscount, RewardClaim
from shared.trade.fact import Approval, Tender


class KeptBasket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a basket: the member by id only."""

    lines: tuple[BasketLine, ...]
    barcodes: tuple[tuple[str, str], ...]
    member_id: MemberId | None
    claims: tuple[CouponClaim, ...]
    approvals: tuple[Approval, ...]
    hold_id: str | None = None
    tenders: tuple[Tender, ...] = ()
    """Money taken outside the till for a sale that is not written yet."""
    gifts: tuple[tuple[str, str], ...] = ()
    rewards: tuple[RewardClaim, ...] = ()
    seen: tuple[str, ...] = ()
    paying: str = ""
    discount: HandDiscount | None = None


class TakenUp(NamedTuple):
    """A kept basket as it is today."""

    state: BasketState
    repriced: int
    """Lines whose goods cost something else by now."""
    tenders: tuple[Tender, ...]
    """Recorded payments that were taken for it; wallets' are asked about by themselves."""


FindMember = Callable[[MemberId], Member | None]
FindGoods = Callable[[GoodsId], Goods | None]


def keep(state: BasketState, tenders: tuple[Tender, ...] = ()) -> bytes:
    """A basket as a document."""
    return msgspec.json.encode(
        KeptBasket(
            lines=state.lines,
            barcodes=state.barcodes,
            member_id=state.member.member_id if state.member else None,
            claims=state.claims,
            approvals=state.approvals,
            hold_id=state.hold_id,
            tenders=tenders,
            gifts=state.gifts,
            rewards=state.rewards,
            seen=state.seen,
            paying=state.paying,
            discount=state.discount,
        )
    )


def read(document: bytes) -> KeptBasket:
    """A document as it was kept."""
    return msgspec.json.decode(document, type=KeptBasket)


def take_up(kept: KeptBasket, find_member: FindMember, find_goods: FindGoods) -> TakenUp:
    """The basket with the member and the goods as they are known now.

    Goods that left the catalogue meanwhile stay as they were kept; hand-typed prices stay, too.
    """
    lines = tuple(_today(line, find_goods(line.goods.sku)) for line in kept.lines)
    repriced = sum(
        new.shelf_minor != old.shelf_minor for new, old in zip(lines, kept.lines, strict=True)
    )
    state = BasketState(
        lines=lines,
        barcodes=kept.barcodes,
        member=find_member(kept.member_id) if kept.member_id else None,
        claims=kept.claims,
        approvals=kept.approvals,
        hold_id=kept.hold_id,
        gifts=kept.gifts,
        rewards=kept.rewards,
        seen=kept.seen,
        paying=kept.paying,
        discount=kept.discount,
    )
    recorded = tuple(tender for tender in kept.tenders if not tender.attempt_id)
    return TakenUp(state, repriced, recorded)


def _today(line: BasketLine, goods: Goods | None) -> BasketLine:
    if goods is None or goods.sold_by is not line.goods.sold_by:
        return line
    return replace(line, goods=goods)
