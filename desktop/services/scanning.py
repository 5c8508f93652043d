"""Every scan goes where it belongs: goods, member, coupon, receipt, wallet, approval card."""

from dataclasses import dataclass, field, replace

from desktop.services.basket import OpenBasket
from desktop.services.books import Books
from desktop.services.members import Members
from desktop.services.operators import Operators
from desktop.services.returns import Returns
from desktop.store import catalogue
from desktop.store.coupons import coupon_uses, issued_by
from desktop.store.members import Member, stands_for
from desktop.store.operators import Operator
from shared.catalogue.codes import (
    ApprovalCode,
    Code,
    CouponCode,
    Damaged,
    GiftCardCode,
    GoodsCode,
    InStoreCode,
    MemberCode,
    PaymentCard,
    ReceiptCode,
    Sku,
    WalletCode,
    classify,
)
from shared.catalogue.goods import Goods, SoldBy
from shared.errors import DomainError
from shared.ledger.account import COUPON, Account, AccountKind
from shared.loyalty.coupon_code import coupon_instance, coupon_of_code
from shared.pricing.basket import ANY_MEMBER, CouponClaim
from shared.pricing.claims import as_issued, issued_to
from shared.returning.sold import ReturnableSale
from shared.trade.ticket import SaleCompleted
from shared.trade.value import ValueToppedUp

CODE_SHOWN_MAX = 24


@dataclass(frozen=True, slots=True)
class GoodsAdded:
    """A line was added or grew."""

    line_id: str


@dataclass(frozen=True, slots=True)
class WeightNeeded:
    """Weighed goods were scanned by their plain code: the scale or the cashier says how much."""

    goods: Goods
    batch: str = ""
    """As its label says."""


@dataclass(frozen=True, slots=True)
class MemberAttached:
    """The basket is priced for this member now."""

    member: Member


@dataclass(frozen=True, slots=True)
class MemberUnknown:
    """A member's card that nobody has: it can be enrolled, the sale goes on meanwhile."""

    code: str


@dataclass(frozen=True, slots=True)
class CouponTaken:
    """A coupon is claimed; whether it is used, the price decides."""

    coupon: str


@dataclass(frozen=True, slots=True)
class ReceiptFound:
    """A receipt of this till: its return is opened."""

    sold: ReturnableSale


@dataclass(frozen=True, slots=True)
class ReceiptElsewhere:
    """A receipt of another till: the server is asked."""

    receipt_no: str


@dataclass(frozen=True, slots=True)
class WalletOffered:
    """The customer's payment code; worth money for a minute, never kept or shown."""

    wallet: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardOffered:
    """A gift card that is to pay; worth money to whoever knows its code."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApproverNamed:
    """An approval card named this person; the PIN follows always."""

    operator: Operator


Scanned = (
    GoodsAdded
    | WeightNeeded
    | MemberAttached
    | MemberUnknown
    | CouponTaken
    | ReceiptFound
    | ReceiptElsewhere
    | WalletOffered
    | CardOffered
    | ApproverNamed
)


class Scanning:
    """Routes codes into the basket and to the other services."""

    def __init__(
        self,
        books: Books,
        basket: OpenBasket,
        *,
        members: Members,
        operators: Operators,
        returns: Returns,
    ) -> None:
        self._books = books
        self._basket = basket
        self._members = members
        self._operators = operators
        self._returns = returns

    def scan(self, text: str, *, quantity: int = 1, comes_in: bool = False) -> Scanned:
        """Do what a code asks for; goods that ``comes_in`` are handed in by the customer.

        Raises DomainError ``unknown-barcode``, ``damaged-code``, ``goods-lapsed``,
        ``payment-card-dropped``, ``unknown-coupon``, ``coupon-used``, and what the basket raises.
        """
        return self._route(classify(text), quantity, comes_in=comes_in)

    def _route(self, code: Code, quantity: int, *, comes_in: bool) -> Scanned:  # noqa: C901 - one arm a kind
        match code:
            case GoodsCode():
                if not comes_in:
                    self._check_date(code)
                return self._goods(
                    code.gtin, quantity, grams=code.grams, comes_in=comes_in, batch=code.batch
                )
            case InStoreCode():
                return self._in_store(code, comes_in=comes_in)
            case Sku():
                return self._goods(code.text, quantity, comes_in=comes_in)
            case MemberCode():
                return self._member(code.code)
            case CouponCode():
                return self._coupon(code.code)
            case ReceiptCode():
                return self._receipt(code)
            case WalletCode():
                return WalletOffered(code.wallet, code.code)
            case GiftCardCode():
                return CardOffered(code.code)
            case ApprovalCode():
                return ApproverNamed(self._operators.by_card(code.code))
            case PaymentCard():
                raise DomainError("payment-card-dropped")
            case Damaged():
                raise DomainError("damaged-code", why=code.why.value)

    def identify(self, text: str) -> ApproverNamed | None:
        """The person an approval card names, without touching the basket; None for other codes.

        Raises DomainError ``unknown-operator`` for an approval card that nobody has.
        """
        code = classify(text)
        if isinstance(code, ApprovalCode):
            return ApproverNamed(self._operators.by_card(code.code))
        return None

    def find(self, code: str) -> Goods:
        """The article of a code; DomainError ``unknown-barcode``."""
        with self._books.reading() as connection:
            goods = catalogue.find_by_code(connection, code)
        if goods is None:
            raise DomainError("unknown-barcode", code=code[:CODE_SHOWN_MAX])
        return goods

    def _goods(
        self,
        code: str,
        quantity: int,
        *,
        grams: int | None = None,
        comes_in: bool,
        batch: str = "",
    ) -> Scanned:
        goods = self.find(code)
        by_unit = goods.sold_by is SoldBy.UNIT
        if not by_unit and grams is None:
            return WeightNeeded(goods, batch)
        line = self._basket.add(
            goods,
            units=quantity if by_unit else 0,
            grams=0 if by_unit else grams or 0,
            barcode=code,
            comes_in=comes_in,
            batch=batch,
        )
        return GoodsAdded(line)

    def _check_date(self, code: GoodsCode) -> None:
        """DomainError ``goods-lapsed`` where the label says that they should be sold no more."""
        best_before = code.best_before
        if best_before is not None and best_before < self._books.today():
            raise DomainError("goods-lapsed", code=code.gtin, on=best_before.isoformat())

    def _in_store(self, code: InStoreCode, *, comes_in: bool) -> Scanned:
        goods = self.find(code.item)
        by_unit = goods.sold_by is SoldBy.UNIT
        if not by_unit and code.grams is None:
            return WeightNeeded(goods)
        line = self._basket.add(
            goods,
            units=1 if by_unit else 0,
            grams=0 if by_unit else code.grams or 0,
            label_minor=code.price_minor,
            barcode=code.item,
            comes_in=comes_in,
        )
        return GoodsAdded(line)

    def _member(self, code: str) -> Scanned:
        member = self._members.by_card(code)
        if member is None:
            return MemberUnknown(code)
        self._basket.attach(member)
        return MemberAttached(member)

    def _coupon(self, code: str) -> Scanned:
        key = self._books.identity.lookup_key
        coupon = coupon_of_code(key, code, self._basket.pricing.programme.coupons)
        if coupon is None:
            raise DomainError("unknown-coupon")
        instance = coupon_instance(key, code)
        with self._books.reading() as connection:
            account = Account(AccountKind.COUPON, instance, "", COUPON)
            uses = coupon_uses(connection, account)
            issuing = issued_by(connection, account)
            member_id = issued_to(issuing) if issuing and coupon.personal else ""
            bearer = stands_for(connection, member_id) if member_id else ""
        if uses is None or uses >= coupon.uses:
            raise DomainError("coupon-used")
        claim = CouponClaim(coupon.id, instance)
        if issuing is not None:
            claim = self._issued(issuing, claim, bearer)
        elif coupon.personal:
            # Head office finds out whether it was theirs.
            claim = replace(claim, bearer=ANY_MEMBER)
        self._basket.claim(claim)
        return CouponTaken(coupon.id)

    def _issued(
        self, issuing: SaleCompleted | ValueToppedUp, claim: CouponClaim, bearer: str
    ) -> CouponClaim:
        """A coupon of this till's own with what it says: its days, and for whom it is.

        A personal one without a member was issued by a release that did so; it is anybody's.

        Raises DomainError ``coupon-not-yet``, ``coupon-lapsed`` or ``coupon-of-another``.
        """
        issued = next(one for one in issuing.coupons_issued if one.coupon_id == claim.instance)
        today, code = self._books.today().isoformat(), claim.coupon
        if today < issued.valid_from:
            raise DomainError("coupon-not-yet", code=code, on=issued.valid_from)
        if today > issued.valid_until:
            raise DomainError("coupon-lapsed", code=code, on=issued.valid_until)
        member = self._basket.state.member
        if bearer and bearer != (member.member_id if member else ""):
            raise DomainError("coupon-of-another", code=code)
        return as_issued(claim, issued, bearer)

    def _receipt(self, code: ReceiptCode) -> Scanned:
        try:
            return ReceiptFound(self._returns.by_receipt(code.code))
        except DomainError as error:
            if error.code != "unknown-receipt":
                raise
            return ReceiptElsewhere(code.code)
