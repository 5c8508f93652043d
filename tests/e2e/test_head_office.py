"""Head office in a real browser: what somebody there sees and does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.clock import ManualClock
from shared.ids import LotId, MemberId
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.message import MemberRow, Stream
from shared.trade.fact import FiscalOutcome, LotDraw
from shared.trade.profile import MemberProfile
from sync_server.bootstrap import initialise
from tests.support.chromium import launched, picture
from tests.support.servers import Server, serve_here
from tests.support.till_writer import START, TillWriter, rows_of

pytestmark = pytest.mark.xdist_group("head-office")

SCREENS = Path(__file__).parents[2] / "build" / "screens" / "office"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def clock() -> ManualClock:
    """A quarter past the last fact."""
    return ManualClock(START)


@pytest.fixture
def server(tmp_path: Path, clock: ManualClock) -> Iterator[Server]:
    """A server with a user."""
    folder = tmp_path / "server"
    initialise(folder, clock=clock)
    with serve_here(folder, clock=clock) as running:
        running.services.users.add("manager", PASSWORD)
        running.services.programme.publish(programme_bytes(template("default")))
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A fresh browser whose console stays empty."""
    context = browser.new_context(
        base_url=str(server.line.client.base_url),
        locale="en-GB",
        viewport={"width": 1280, "height": 860},
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []


def test_a_visitor_must_sign_in_and_comes_back_to_the_page_asked_for(page: Page) -> None:
    page.goto("/office/members")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Name").fill("manager")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    picture(page, SCREENS / "sign-in-refused.png")

    sign_in(page)

    expect(page.get_by_role("heading", name="Members")).to_be_visible()


def test_a_members_ledger_explains_every_entry_in_both_languages(
    server: Server, page: Page
) -> None:
    till, member = a_busy_member(server)
    page.goto("/office/")
    sign_in(page)
    page.get_by_role("link", name="Members").first.click()
    page.get_by_role("textbox").fill("8000")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Members found: 1")).to_be_visible()
    picture(page, SCREENS / "members-en.png")
    page.get_by_role("link", name="Li Lei").click()

    expect(page.get_by_role("article")).to_have_count(till.head.next_seq)
    expect(page.get_by_text("Sale of ¥300.00, receipt 001-000001")).to_be_visible()
    expect(page.get_by_text("Tier is now Silver")).to_be_visible()
    page.get_by_text("Bookings").nth(1).click()
    picture(page, SCREENS / "member-en.png", full_page=True)

    page.get_by_role("link", name="简体中文").click()
    expect(page.get_by_text("消费 ¥300.00，小票 001-000001")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/office/members/{member}$"))
    picture(page, SCREENS / "member-zh.png", full_page=True)


def test_the_first_page_shows_each_till_with_last_contact_and_unsent(
    server: Server, page: Page, clock: ManualClock
) -> None:
    till, _member = a_busy_member(server)
    assert till.certificate.till_id is not None
    server.services.stores.note_contact(till.certificate.till_id, unsent=17)
    clock.advance(minutes=12)
    store = server.services.stores.stores()[0]
    server.services.stores.add_till(store.store_id, "收银台二")
    page.goto("/")
    sign_in(page)

    row = page.get_by_role("row").filter(has_text="12 min ago")
    expect(row).to_contain_text("17")
    expect(page.get_by_text("waiting for enrolment")).to_be_visible()
    picture(page, SCREENS / "stores-en.png")
    page.emulate_media(color_scheme="dark")
    page.get_by_role("link", name="简体中文").click()
    picture(page, SCREENS / "stores-zh-dark.png")


def test_the_first_page_counts_receipts_without_a_fiscal_signature(
    server: Server, page: Page
) -> None:
    till = server.enrol_till()
    till.sell(100, fiscal=FiscalOutcome(failure="offline"))
    till.sell(200, fiscal=FiscalOutcome())
    server.line.push(till)
    page.goto("/office/")
    sign_in(page)
    expect(page.get_by_text("2 receipts without a fiscal signature")).to_be_visible()
    page.get_by_role("link", name="简体中文").click()
    expect(page.get_by_text("2张小票没有税控签名")).to_be_visible()


def test_a_code_from_the_page_enrols_a_till(server: Server, page: Page) -> None:
    store = server.services.stores.add_store("East", "Asia/Shanghai")
    server.services.stores.add_till(store.store_id, "Till 1")
    page.goto("/office/")
    sign_in(page)
    page.get_by_role("button", name="New code").click()
    picture(page, SCREENS / "code-en.png")

    till = server.line.enrol(page.locator(".code").inner_text())

    assert till.certificate.store_id == store.store_id


def test_exceptions_link_the_facts_that_contradict(server: Server, page: Page) -> None:
    first, member = a_busy_member(server)
    second = server.enrol_till("west")
    lot = LotId(first.entries[1].id)
    second.sell(50_000, member=member, spend=(LotDraw(lot=lot, points=5000),))
    server.line.push(second)
    page.goto("/office/exceptions")
    sign_in(page)

    expect(page.get_by_role("heading", name="More points spent than earned")).to_be_visible()
    page.get_by_text("facts concerned").click()
    expect(page.get_by_text("Sale of ¥500.00")).to_be_visible()
    picture(page, SCREENS / "exceptions-en.png", full_page=True)
    page.get_by_role("link", name="简体中文").click()
    picture(page, SCREENS / "exceptions-zh.png", full_page=True)


def test_a_member_erased_from_the_page_is_gone_from_page_and_tills(
    server: Server, page: Page
) -> None:
    till, member = a_busy_member(server)
    page.goto(f"/office/members/{member}")
    sign_in(page)
    page.get_by_text("Erase personal data").first.click()
    page.get_by_label("Yes, erase").check()
    page.get_by_role("button", name="Erase personal data").click()

    expect(page.get_by_role("heading", name="Erased member")).to_be_visible()
    assert "Li Lei" not in page.content()
    picture(page, SCREENS / "member-erased.png", full_page=True)
    assert rows_of(server.line.pull(till, Stream.MEMBERS), MemberRow) == [
        MemberRow(member_id=member, gone=True)
    ]


def test_names_cannot_become_markup(server: Server, page: Page) -> None:
    till = server.enrol_till("<b>bold</b>")
    nasty = "<script>document.title='taken'</script>"
    till.enrol_member(MemberProfile(name=nasty, phone="13800138000"))
    server.line.push(till)
    page.goto("/office/members")
    sign_in(page)

    expect(page.get_by_role("link", name=nasty)).to_be_visible()
    expect(page).to_have_title("Members · Evertill")


def sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("manager")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Sign out")).to_be_visible()


def a_busy_member(server: Server) -> tuple[TillWriter, MemberId]:
    """Somebody who joined, bought, spent points and brought something back."""
    till = server.enrol_till("东门店")
    member = till.enrol_member()
    lot = LotId(till.sell(30_000, member=member, earned=300))
    till.sell(2_500, member=member, earned=15, spend=(LotDraw(lot=lot, points=100),))
    sale = till.sell(1_250, member=member, earned=12, quantity=2)
    till.take_back(sale, 625, member=member, taken=(LotDraw(lot=LotId(sale), points=6),))
    server.line.push(till)
    return till, member
