"""The Qt binding counts what it hands out: eight hours of calls must not wear None out."""

import sys

from PySide6.QtWidgets import QLabel

CALLS = 2000


def test_calls_into_qt_do_not_use_up_none_and_booleans(qtbot):
    label = QLabel()
    qtbot.addWidget(label)
    before = [sys.getrefcount(value) for value in (None, True, False)]
    for number in range(CALLS):
        label.setText(str(number))
        label.isVisible()
        label.isEnabled()
    after = [sys.getrefcount(value) for value in (None, True, False)]
    assert all(now > then - CALLS / 2 for now, then in zip(after, before, strict=True))
