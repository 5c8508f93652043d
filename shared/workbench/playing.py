"""Plays a scenario from its first step to its last."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from shared.catalogue.batches import Batch
from shared.catalogue.goods import Goods
from shared.error_figures import readable
from shared.errors import DomainError
from shared.ids import GoodsId, LotId
from shared.language import Language, words
from shared.loyalty.bundle import template
from shared.loyalty.engagement import Referral
from shared.loyalty.gift_card import GiftCard
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Programme
from shared.loyalty.referral import counts
from shared.loyalty.tiers import Spending
from shared.loyalty.validation import check
from shared.loyalty.wallet import Wallet
from shared.money import Money
from shared.points import format_points
from shared.workbench import (
    benefits,
    completing,
    counter,
    merging,
    partnering,
    paying,
    returning,
    ringing,
    without_receipt,
)
from shared.workbench import later_steps as later
from shared.workbench import scenario as told
from shared.workbench.account import Account
from shared.workbench.check_scenario import check_scenario
from shared.workbench.coupons import Code
from shared.workbench.covered import check_covered
from shared.workbench.expecting import unlike
from shared.workbench.result import RefusedState, State
from shared.workbench.shop import Shop
from shared.workbench.telling import state_of
from shared.workbench.wall import on_the_wall


def open_shop(scenario: told.Scenario) -> Shop:
    """The shop before the first step.

    Raises the DomainErrors of the programme's check and of ``check_scenario``.
    """
    programme = scenario.programme or template(scenario.template)
    check(programme)
    check_scenario(scenario, programme)
    return Shop(
        programme=programme,
        goods={one.sku: _goods(one, programme) for one in scenario.goods},
        accounts={one.id: _account(one, programme.referral) for one in scenario.members},
        at=on_the_wall(scenario.at, scenario.zone),
        zone=scenario.zone,
        store=scenario.store,
        till=scenario.till,
        float_minor=scenario.float_minor,
        coupons={one.code: _code(one) for one in scenario.coupons},
        gift_cards={
            one.code: GiftCard(code=one.code, left=one.left_minor, last_day=one.last_day)
            for one in scenario.gift_cards
        },
    )


@dataclass(slots=True)
class Playing:
    """A scenario as far as it was played. Raises what ``open_shop`` raises."""

    scenario: told.Scenario
    shop: Shop = field(init=False)
    done: list[told.Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop = open_shop(self.scenario)

    def attempt(self, step: told.Step) -> DomainError | None:
        """Do one step, or tell why it cannot be done: then it has changed nothing."""
        try:
            do(self.shop, step)
        except DomainError as error:
            # Whatever it had begun is gone with the shop that it was begun in.
            self.shop = open_shop(self.scenario)
            for one in self.done:
                do(self.shop, one)
            return error
        self.done.append(step)
        return None


def play(scenario: told.Scenario) -> Iterator[State]:
    """The state after each ``show``, and after the last step; that of the start without steps.

    A step that cannot be done changes nothing, and is told by every later state. Raises what
    ``open_shop`` raises.
    """
    playing = Playing(scenario)
    if not scenario.steps:
        yield state_of(playing.shop, 0)
    refused: list[RefusedState] = []
    for number, step in enumerate(scenario.steps, start=1):
        error = playing.attempt(step)
        if error is not None:
            refused.append(_refused(number, step, error, playing.shop.programme))
        is_last = number == len(scenario.steps)
        if isinstance(step, told.Show) or is_last:
            title = step.title if isinstance(step, told.Show) else ""
            yield state_of(playing.shop, number, title, refused)


def _refused(
    number: int, step: told.Step, error: DomainError, programme: Programme
) -> RefusedState:
    fields = readable(
        error,
        lambda minor: str(Money(minor, programme.money)),
        lambda points: format_points(points, programme.points.decimals),
    )
    key = f"error.{error.code}"
    chinese, english = (words(language)(key, **fields) for language in Language)
    do = str(step.__struct_config__.tag)
    return RefusedState(step=number, do=do, code=error.code, zh=chinese, en=english)


HANDLERS: Final[dict[type, Callable[[Shop, Any], None]]] = {
    told.Add: ringing.add,
    told.Remove: ringing.remove,
    told.SetQuantity: ringing.set_quantity,
    told.SetPrice: ringing.set_price,
    told.Discount: ringing.discount,
    told.SetMember: ringing.set_member,
    told.Claim: ringing.claim,
    told.Unclaim: ringing.unclaim,
    told.Reward: ringing.reward,
    told.ChooseGift: ringing.choose_gift,
    told.PlanTender: paying.plan_tender,
    told.SpendPoints: paying.spend_points,
    told.Pay: paying.pay,
    told.Cancel: counter.cancel,
    told.MoveClock: counter.move_clock,
    told.Show: lambda _shop, _step: None,
    told.Complete: completing.complete,
    later.Hold: counter.hold,
    later.Recall: counter.recall,
    later.ChangeOffer: counter.change_offer,
    later.ChangePriceList: counter.change_price_list,
    later.TellLiability: counter.tell_liability,
    later.MoveCash: counter.move_cash,
    later.CountDrawer: counter.count_drawer,
    later.CloseDay: counter.close_day,
    later.Return: returning.return_goods,
    later.ReturnWithoutReceipt: without_receipt.take_back,
    later.Exchange: returning.exchange,
    later.RefundAmount: returning.refund_amount,
    later.MergeMembers: merging.merge_members,
    later.TopUp: benefits.pay_in,
    later.CloseStoredValue: benefits.close_stored_value,
    later.SellGiftCard: benefits.sell_gift_card,
    later.CloseGiftCard: benefits.close_gift_card,
    later.BuyAtPartner: partnering.buy_at_partner,
    later.ReturnAtPartner: partnering.return_at_partner,
    later.Act: benefits.act,
    later.EnterDraw: benefits.enter_draw,
    later.RunDraw: benefits.run_draw,
}
"""What does each step; to show is the caller's."""


def do(shop: Shop, step: told.Step) -> None:
    """Do one step; DomainError where it cannot be done, or takes away what was paid with."""
    HANDLERS[type(step)](shop, step)
    check_covered(shop)


def differences(scenario: told.Scenario, states: Sequence[State]) -> list[str]:
    """Where what was expected is not what came out, by step."""
    expected = {
        number: step.expect
        for number, step in enumerate(scenario.steps, start=1)
        if isinstance(step, told.Show)
    }
    codes = {one.step: one.code for one in refused_in(states)}
    found: list[str] = []
    for number, step in enumerate(scenario.steps, start=1):
        if step.refused and number not in codes:
            found.append(f"step {number}: done, although it was to be refused")
        elif isinstance(step.refused, str) and step.refused != codes.get(number):
            found.append(f"step {number}: refused as {codes[number]}, {step.refused} expected")
    for state in states:
        is_last = state.step == len(scenario.steps)
        wanted = [expected.get(state.step, {}), scenario.expect if is_last else {}]
        for one in filter(None, wanted):
            found += unlike(one, msgspec.to_builtins(state), f"step {state.step} $")
    return found


def refused_in(states: Sequence[State]) -> Sequence[RefusedState]:
    """All steps that could not be done."""
    return states[-1].refused if states else ()


def refused_unforeseen(scenario: told.Scenario, states: Sequence[State]) -> list[RefusedState]:
    """Those of which the scenario does not say that they are to be refused."""
    shown = [step.expect for step in scenario.steps if isinstance(step, told.Show)]
    if any("refused" in one for one in (*shown, scenario.expect)):
        # What was stated of them is compared with everything else.
        return []
    return [one for one in refused_in(states) if not scenario.steps[one.step - 1].refused]


def _goods(article: told.Article, programme: Programme) -> Goods:
    return Goods(
        sku=GoodsId(article.sku),
        name_zh=article.name_zh or article.name_en or article.sku,
        name_en=article.name_en or article.name_zh or article.sku,
        tax_class=article.tax_class or programme.tax_classes[0].id,
        list_price_minor=article.price_minor,
        category=article.category,
        brand=article.brand,
        supplier=article.supplier,
        marks=article.marks,
        sold_by=article.sold_by,
        no_discount=article.no_discount,
        no_points=article.no_points,
        cost_minor=article.cost_minor,
        batches=tuple(
            Batch(batch=one.batch, last_day=one.last_day, is_recalled=one.is_recalled)
            for one in article.batches
        ),
    )


def _account(person: told.Person, referral: Referral | None) -> Account:
    lots = [
        Lot(
            lot=LotId(lot.lot or f"lot-{number}"),
            points=lot.points,
            earned_on=lot.earned_on,
            last_day=lot.last_day,
        )
        for number, lot in enumerate(person.lots, start=1)
    ]
    spending = [
        Spending(sale=f"past-{number}", day=one.day, spend_minor=one.spend_minor, growth=one.growth)
        for number, one in enumerate(person.past, start=1)
    ]
    days = [lot.earned_on for lot in lots] + [one.day for one in spending]
    return Account(
        person,
        lots,
        spending,
        wallet=Wallet(principal=person.principal_minor, bonus=person.bonus_minor),
        stamps=dict(person.stamps),
        is_referral_paid=referral is not None
        and any(counts(one.spend_minor, referral.minimum_minor) for one in spending),
        last_active=person.last_active or max(days, default=None),
    )


def _code(held: told.HeldCoupon) -> Code:
    return Code(
        code=held.code,
        coupon=held.coupon,
        member=held.member,
        from_day=held.from_day,
        last_day=held.last_day,
        uses_left=held.uses_left,
    )
