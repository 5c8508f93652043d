"""What a scenario calls its tenders, and what a fact does."""

from shared.loyalty.prepaid_tax import TaxTable
from shared.trade.fact import LotDraw, Tender, TenderKind


def tender_fact(
    name: str, amount: int, *, code: str = "", bonus: int = 0, prepaid: TaxTable = ()
) -> Tender:
    """A payment of any kind but points; the programme's own tenders are vouchers of a name."""
    kinds = {kind.value: kind for kind in TenderKind}
    kind = kinds.get(name, TenderKind.VOUCHER)
    provider = "" if name in kinds else name
    return Tender(
        tender=kind,
        amount=amount,
        provider=provider,
        reference=code,
        bonus=bonus,
        prepaid=prepaid,
    )


def points_fact(name: str, value: int, lots: tuple[LotDraw, ...]) -> Tender:
    """Points that pay, or that rewards cost: these pay nothing."""
    points = sum(one.points for one in lots)
    provider = "" if name == TenderKind.POINTS.value else name
    return Tender(
        tender=TenderKind.POINTS, amount=value, provider=provider, points=points, lots=lots
    )


def name_of(tender: Tender) -> str:
    """What the scenario calls a tender."""
    return tender.provider or tender.tender.value
