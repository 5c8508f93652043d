"""The member of the sale at a glance."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout

from desktop.presenters.view import SaleView
from desktop.ui.design import GRID, Size
from desktop.ui.pieces import label
from desktop.ui.wording import Wording


class MemberCard(QFrame):
    """Name, tier, points and their worth, what lapses, the way up, coupons, offers nearby."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "true")
        self._name = label(bold=True)
        self._points = label(bold=True, right=True)
        self._earns = label(size=Size.SMALL, muted=True, wrap=True)
        self._lapsing = label(size=Size.SMALL, muted=True, wrap=True)
        self._next = label(size=Size.SMALL, muted=True, wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._cards = label(size=Size.SMALL, wrap=True)
        self._coupons = label(size=Size.SMALL, wrap=True)
        self._unlock = label(size=Size.SMALL, bold=True, wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID * 4, GRID * 3, GRID * 4, GRID * 3)
        layout.setSpacing(GRID)
        head = QHBoxLayout()
        head.addWidget(self._name, 1)
        head.addWidget(self._points)
        layout.addLayout(head)
        for one in (self._earns, self._lapsing, self._bar, self._next):
            layout.addWidget(one)
        for one in (self._cards, self._coupons, self._unlock):
            layout.addWidget(one)

    def show_sale(self, sale: SaleView, wording: Wording) -> None:
        """Paint it; without a member, an invitation."""
        member = sale.member
        if member is None:
            self._name.setText(wording.say("till.member.nobody"))
            self._points.setText("")
            self._earns.setText(wording.say("till.member.invite"))
        else:
            tail = f" ·{member.tail}" if member.tail else ""
            self._name.setText(f"{member.name}{tail}  {wording.text(member.tier)}")
            points = wording.say("till.member.points", points=member.points)
            worth = f" = {wording.money(member.worth)}" if member.worth else ""
            self._points.setText(points + worth)
            earns = wording.say("till.member.earns", points=member.earns)
            as_of = wording.text(member.as_of)
            self._earns.setText(" · ".join(filter(None, (earns, as_of))))
        lapsing = wording.text(member.lapsing) if member else ""
        next_tier = wording.text(member.next_tier) if member else ""
        _show(self._lapsing, lapsing)
        _show(self._next, next_tier)
        self._bar.setVisible(bool(next_tier))
        if member is not None:
            self._bar.setValue(member.progress_percent)
        _show(self._cards, "\n".join(map(wording.text, member.cards)) if member else "")
        coupons = "  ".join(
            ("✓ " if row.is_used else "· ") + wording.text(row.name) for row in sale.coupons
        )
        _show(self._coupons, coupons)
        _show(self._unlock, wording.text(sale.unlock))


def _show(made: QLabel, text: str) -> None:
    made.setText(text)
    made.setVisible(bool(text))
