"""The customer's screen: what it shows, in which language, and that it takes no key."""

import pytest
from PySide6.QtCore import Qt

from desktop.presenters.customer import CustomerKind, CustomerLine, CustomerRow, CustomerView
from desktop.presenters.text import Amount, Named, say
from desktop.ui.customer_window import ROWS_MAX, CustomerWindow
from shared.language import Language

TOTAL = CustomerLine(say("till.customer.total"), Amount(1350))
CHIPS = Named("乐事薯片", "Lay's chips")


def rows(count: int) -> tuple[CustomerRow, ...]:
    return tuple(CustomerRow(CHIPS, at + 1, False, 750) for at in range(count))


@pytest.fixture
def window(qtbot):
    made = CustomerWindow()
    qtbot.addWidget(made)
    made.open_on_second_screen()
    return made


def shown(window, qtbot, view: CustomerView) -> list[str]:
    window.publish(view)
    qtbot.wait(1)
    return window.texts()


def test_goods_and_total_in_the_language_of_the_till(window, qtbot):
    line = CustomerView(CustomerKind.LINE, CustomerLine(CHIPS, Amount(750)), TOTAL, rows(1), 150)
    texts = shown(window, qtbot, line)
    assert sorted(texts) == sorted(["乐事薯片", "1", "7.50", "已优惠", "¥1.50", "合计", "¥13.50"])
    english = CustomerView(CustomerKind.LINE, line.upper, TOTAL, rows(1), 0, Language.ENGLISH)
    assert sorted(shown(window, qtbot, english)) == sorted(
        ["Lay's chips", "1", "7.50", "Total", "¥13.50"]
    )


def test_of_many_goods_the_newest_are_seen(window, qtbot):
    view = CustomerView(CustomerKind.LINE, CustomerLine(CHIPS), TOTAL, rows(ROWS_MAX + 5))
    texts = shown(window, qtbot, view)
    assert texts.count("乐事薯片") == ROWS_MAX
    assert str(ROWS_MAX + 5) in texts
    assert "1" not in texts


def test_the_greeting_leaves_no_goods_behind(window, qtbot):
    shown(window, qtbot, CustomerView(CustomerKind.DUE, TOTAL, TOTAL, rows(3)))
    idle = CustomerView(
        CustomerKind.IDLE, CustomerLine("一号店"), CustomerLine(say("till.customer.welcome"))
    )
    assert sorted(shown(window, qtbot, idle)) == sorted(["一号店", "欢迎光临"])


def test_keys_stay_with_the_cashier(window):
    assert window.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    assert window.focusPolicy() is Qt.FocusPolicy.NoFocus
