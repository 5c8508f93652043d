"""From an empty folder to the first sale: the address and code typed, a real server answering."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.bootstrap import Surroundings
from desktop.commands.run import Opened
from desktop.presenters.text import Say
from desktop.presenters.view import Choices, Page, SaleView
from desktop.store.database import TillFolder
from shared.clock import SystemClock
from shared.errors import EvertillError
from shared.loyalty.bundle import programme_bytes, template
from sync_server.bootstrap import initialise
from sync_server.operators.desk import Role
from tests.support.enrolled_till import BISCUITS, GOODS
from tests.support.servers import Server, serve_here

TYPING_PAUSE_MS = 90
"""A quick typist; a scanner is ten times faster."""


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    initialise(tmp_path / "server", clock=SystemClock())
    with serve_here(tmp_path / "server", clock=SystemClock()) as running:
        running.services.catalogue.put(GOODS)
        running.services.programme.publish(programme_bytes(template("default")))
        running.services.operators.add("王芳", pin="1234", role=Role.CASHIER)
        yield running


@pytest.fixture
def opened() -> Iterator[Opened]:
    station = Opened()
    yield station
    station.close()


def type_text(opened: Opened, text: str) -> None:
    for character in text:
        QTest.keyClick(opened.window.windowHandle(), character)
        QTest.qWait(TYPING_PAUSE_MS)
    press(opened, Qt.Key.Key_Return)


def press(opened: Opened, key: Qt.Key) -> None:
    QTest.keyClick(opened.window.windowHandle(), key)
    QTest.qWait(TYPING_PAUSE_MS)
    assert opened.window.settle(30)


def test_an_empty_folder_becomes_a_till_that_sells(qtbot, tmp_path, server, opened):
    store = server.services.stores.add_store("人民路店", "Asia/Shanghai")
    till = server.services.stores.add_till(store.store_id, "1号机")
    opened.open(tmp_path / "till")
    assert opened.window.settle()
    assert opened.window.view.page is Page.FIRST_RUN

    type_text(opened, str(server.line.client.base_url).rstrip("/"))
    type_text(opened, server.services.enrolment.issue_code(till.till_id))
    assert opened.window.view.page is Page.SIGN_IN
    qtbot.waitUntil(lambda: isinstance(opened.window.view.body.parts[0], Choices))
    type_text(opened, "1234")
    assert opened.window.view.page is Page.OPEN_SHIFT
    for _ in range(20):
        if opened.window.view.page is Page.SALE:
            break
        press(opened, Qt.Key.Key_Return)
    type_text(opened, BISCUITS.barcodes[0])
    press(opened, Qt.Key.Key_F12)

    body = opened.window.view.body
    assert isinstance(body, SaleView)
    assert body.change is not None
    assert body.change.total == BISCUITS.list_price_minor
    qtbot.waitUntil(lambda: opened.till.unsent() == 0)


def test_a_wrong_code_is_refused_in_words_and_can_be_typed_again(qtbot, tmp_path, server, opened):
    opened.open(tmp_path / "till")
    assert opened.window.settle()
    type_text(opened, str(server.line.client.base_url).rstrip("/"))
    type_text(opened, "not-a-code")

    view = opened.window.view
    assert view.page is Page.FIRST_RUN
    assert view.message is not None
    assert isinstance(view.message.text, Say)
    assert view.message.text.key.startswith("error.")
    assert not TillFolder(tmp_path / "till").head.exists()


def test_unreadable_settings_are_said_on_a_page_of_their_own(qtbot, tmp_path, opened):
    (tmp_path / "till.toml").write_text("language = 'fr'", encoding="utf-8")
    with pytest.raises(EvertillError, match="settings-unreadable") as caught:
        opened.open(tmp_path)
    opened.show_fault(caught.value)
    assert opened.window.settle()
    assert opened.window.view.page is Page.FAULT
    assert Surroundings().language == "zh_CN"
