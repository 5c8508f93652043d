"""Pictures of every page and overlay, in the language of the till they are taken at."""

from desktop.demo.cashier import Cashier
from desktop.demo.stock import Operator, ean_check_digit

UNKNOWN = "690999900001" + ean_check_digit("690999900001")
"""A barcode in good order that no article has."""


def tour_of_empty_sale(cashier: Cashier) -> None:
    """What can be opened without a basket."""
    hands = cashier.hands
    hands.picture("sale-empty")
    for key, name in (
        ("F1", "help"), ("F5", "return-start"), ("F9", "drawer"), ("F10", "menu"),
    ):  # fmt: skip
        hands.press(key)
        hands.picture(name)
        hands.press("Esc")
    for entry in ("figures", "receipts", "papers", "sync"):
        cashier.menu(entry)
        hands.picture(entry)
        hands.press("Esc")
    hands.press("F9")
    hands.tap(hands.say("till.drawer.drop"))
    hands.picture("drawer-drop")
    hands.fill("100", "")
    cashier.told("till.drawer.moved")


def tour_of_searches(cashier: Cashier, name: str) -> None:
    """Goods by name, members by name, weighed goods by their plain code, an unknown code."""
    hands = cashier.hands
    hands.press("F2")
    hands.type("kekou")
    hands.picture("goods-search")
    hands.press("Enter")
    hands.press("F3")
    hands.type(name)
    hands.picture("member-search")
    hands.press("Enter")
    hands.type(cashier.stock.code("红富士苹果"))
    hands.press("Enter")
    hands.picture("weight")
    hands.fill("0.85")
    hands.scan(UNKNOWN)
    hands.picture("unknown-barcode")


def tour_of_tenders(cashier: Cashier, manager: Operator) -> None:
    """The tender panel, a price typed by hand with its approval, coupons."""
    hands = cashier.hands
    cashier.ring("可口可乐500ml", "可口可乐500ml", "维达卷纸", "安慕希", "鲜鸡蛋")
    hands.picture("sale")
    hands.press("F6")
    hands.picture("coupons")
    hands.press("Esc")
    hands.press("F11")
    hands.picture("tender")
    hands.press("Esc")
    cashier.override("9.9", manager, picture=True)
