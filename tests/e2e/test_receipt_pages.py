"""A receipt on the web is the one that the till printed, and only for whoever holds it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import expect

from desktop.bootstrap import Till
from desktop.services.exchanging import Exchange, in_cash
from desktop.services.paper import Papers
from desktop.services.returns import ReturnedBy
from desktop.store.print_jobs import JobState, PrintJob
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.text import sheet_text
from shared.ids import EntryId
from shared.receipt.document import Barcode, Document, Feed, Style
from shared.receipt.issue import Part
from shared.receipt.layout import Grid, Line, lay_out, placed
from shared.receipt.verification import verification_code
from shared.receipt.voice import PaperLanguage
from shared.returning.lines import Wanted
from shared.trade.fact import Fact
from shared.trade.kinds import read_fact
from shared.trade.paper import ReceiptForm, ReceiptFormChanged
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.writing import Writing
from sync_server.web.receipts import COLUMNS, WRONG_FOR_RECEIPT, WRONG_FROM_ADDRESS
from tests.support.chromium import launched, picture
from tests.support.enrolled_till import BISCUITS, WATER
from tests.support.little_chain import LittleChain, TillHere

SCREENS = Path(__file__).parents[2] / "build" / "screens" / "receipts"
FORM = ReceiptForm(
    names={"zh": "常青便利 <b>&amp;</b>", "en": 'Evergreen "<i>"'},
    address={"zh": "上海市静安区南京西路1266号", "en": "1266 Nanjing Rd W"},
    phone="021-6288 1266",
    tax_number="91310106MA1FY0000X",
    conditions={"zh": "七日内凭小票退换", "en": "Return within 7 days"},
    greeting={"zh": "谢谢惠顾", "en": "Thank you"},
    web="https://shop.example",
    invoice="https://invoice.example/?n={number}&c={code}&t={total}",
)


class _Paper(HTMLParser):
    """The rows of the paper on a page, and everything that a page must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[str] = []
        self.tags: set[str] = set()
        self._inside = 0
        self._link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "article":
            self._inside = 1
        elif tag == "p" and self._inside:
            self._link = dict(attrs).get("class") == "link"
            if not self._link:
                self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._inside = 0

    def handle_data(self, data: str) -> None:
        if self._inside and self.rows and not self._link:
            self.rows[-1] += data.strip("\n")


def paper_of(page: str) -> list[str]:
    parsed = _Paper()
    parsed.feed(page)
    assert not parsed.tags & {"script", "iframe", "object", "img", "style"}
    return parsed.rows


def document_of(till: Till, entry: EntryId, language: PaperLanguage, *leaving: Part) -> Document:
    """What this till prints of an entry."""
    shop = till.shop()
    shop = replace(shop, left_out=shop.left_out | set(leaving))
    job = PrintJob("j", entry, 0, language.value, JobState.QUEUED, "")
    return Papers(till.books, shop).document(job)


def rows_of(document: Document) -> list[str]:
    """The printed rows, and the digits below bars; pictures are none."""
    rows: list[str] = []
    grid = Grid(COLUMNS)
    for piece in lay_out(document, grid):
        if isinstance(piece, Line):
            is_large = piece.style is Style.LARGE
            rows.append((piece.text if is_large else placed(piece, grid)).rstrip(" "))
        elif isinstance(piece, Barcode):
            rows.append(piece.digits)
        elif isinstance(piece, Feed):
            rows += [""] * piece.rows
    return rows


def tickets(till: Till) -> list[tuple[EntryId, bytes, Fact]]:
    """Sales and returns of a till, with the hashes of their entries."""
    with till.books.reading() as connection:
        rows = connection.exec_driver_sql("SELECT id, hash, bytes FROM entries ORDER BY seq").all()
    from shared.journal.entry import decode_entry  # noqa: PLC0415 - beside its only use

    told = [
        (EntryId(id_), hash_, read_fact(decode_entry(raw).envelope)) for id_, hash_, raw in rows
    ]
    return [one for one in told if isinstance(one[2], SaleCompleted | SaleReturned)]


def address(hash_: bytes, fact: Any) -> str:
    return f"/r/{fact.receipt_no}/{verification_code(hash_)}"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path) as made:
        yield made


@pytest.fixture
def client(chain: LittleChain) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=chain.server.url, headers={"accept-language": "zh"}) as made:
        yield made


def back(till: TillHere, sale: Any, *wanted: Wanted) -> None:
    """Some of it comes back."""
    till.till.returns.take_back(
        till.till.pricing(),
        till.till.returns.by_receipt(sale.fact.receipt_no),
        list(wanted),
        ReturnedBy(shift=till.shift, operator_id=till.operator_id, reason="changed mind"),
    )


def a_day(till: TillHere) -> None:
    """Sales and returns with and without member, points and offers; the form comes between."""
    till.sell(WATER.barcodes[0], BISCUITS.barcodes[0])
    till.till.receipt_form.change(FORM, operator_id=None, approvals=())
    member = till.enrol("赵小明", phone="13800138000", card="8600123456781234")
    first = till.sell(*[BISCUITS.barcodes[0]] * 9, member=member)
    till.sell(BISCUITS.barcodes[0], WATER.barcodes[0], member=member, points=50)
    back(till, first, Wanted(1, 2))
    sold = till.sell(WATER.barcodes[0], WATER.barcodes[0])
    back(till, sold, Wanted(1, 1))


def test_the_page_says_what_the_paper_says_line_by_line(
    chain: LittleChain, client: httpx.Client
) -> None:
    till = chain.tills[0]
    a_day(till)
    assert till.sync()
    found = tickets(till.till)
    assert [type(fact) for _, _, fact in found].count(SaleReturned) == 2
    till.till.receipt_form.change(
        msgspec.structs.replace(FORM, names={"zh": "后来", "en": "Later"}),
        operator_id=None,
        approvals=(),
    )
    assert till.sync()
    for number, (entry, hash_, fact) in enumerate(found):
        for language in PaperLanguage:
            page = client.get(address(hash_, fact), params={"language": language.value})
            assert page.status_code == 200
            shown = paper_of(page.text)
            # The first sale stands before the form, the others below the one of their time.
            till.till.receipt_form._form = FORM if number else ReceiptForm()
            printed = document_of(till.till, entry, language, Part.OUTLOOK)
            assert shown == rows_of(printed)
            assert ("<i>赵</i>**" in page.text) is (getattr(fact, "member", None) is not None)
            assert "赵小明" not in page.text
            assert "13800138000" not in page.text
            assert "56781234" not in page.text


def test_the_page_of_an_exchange_shows_both_parts_and_only_of_one_ticket(
    chain: LittleChain, client: httpx.Client
) -> None:
    till = chain.tills[0]
    first = till.sell(WATER.barcodes[0], member=till.enrol("赵小明", phone="13800138000"))
    sold = till.till.returns.by_receipt(first.fact.receipt_no)
    wanted = [Wanted(1, 1)]
    refunds = till.till.returns.would_give(till.till.pricing(), sold, wanted)
    checkout = till.counter.checkout
    till.counter.scanning.scan(BISCUITS.barcodes[0])
    checkout.exchange(Exchange(sold=sold, wanted=wanted, reason="x", cash=in_cash(refunds)))
    checkout.tender_cash()
    checkout.finish(till.shift, till.operator_id)
    assert till.sync()
    entry, hash_, fact = tickets(till.till)[-1]
    for language in PaperLanguage:
        page = client.get(address(hash_, fact), params={"language": language.value})
        printed = document_of(till.till, entry, language, Part.OUTLOOK)
        assert paper_of(page.text) == rows_of(printed)
    services = chain.server.services
    for audit in (services.audit, services.returns_audit):
        done = audit.run()
        assert (done.different, dict(done.unjudged)) == (0, {})
    assert chain.reckon().differences == []


def test_the_page_is_what_a_printer_put_on_paper(chain: LittleChain, client: httpx.Client) -> None:
    till = chain.tills[0]
    a_day(till)
    assert till.sync()
    book = built_in_profiles()
    entry, hash_, fact = tickets(till.till)[2]
    document = document_of(till.till, entry, PaperLanguage.CHINESE, Part.OUTLOOK)
    job = Encoder(book.profile("gb"), book.paper("58mm")).encode(document)
    printed = sheet_text(Interpreter(dots=384).print_all(job)).replace("￥", "¥")
    flat = re.sub(r"\s", "", printed)
    at = 0
    for row in paper_of(client.get(address(hash_, fact)).text):
        wanted = re.sub(r"\s", "", row)
        found = flat.find(wanted, at)
        assert found >= 0, (row, printed)
        at = found + len(wanted)


def test_before_the_sale_is_here_nothing_differs_from_a_wrong_code(
    chain: LittleChain, client: httpx.Client
) -> None:
    till = chain.tills[0]
    till.sell(WATER.barcodes[0])
    ((_, hash_, fact),) = tickets(till.till)
    early = client.get(address(hash_, fact))
    unknown = client.get("/r/123/123456789012")
    assert till.sync()
    code = verification_code(hash_)
    wrong = client.get(f"/r/{fact.receipt_no}/{(int(code) + 1) % 10**12:012d}")
    odd = client.get("/r/abc/def")
    right = client.get(address(hash_, fact))
    assert right.status_code == 200
    assert {(one.status_code, one.text) for one in (early, unknown, wrong, odd)} == {
        (404, early.text)
    }
    for header in ("content-security-policy", "referrer-policy", "cache-control"):
        assert {one.headers[header] for one in (early, wrong, right)} == {right.headers[header]}
    assert "default-src 'none'" in right.headers["content-security-policy"]
    assert right.headers["referrer-policy"] == "no-referrer"
    assert right.headers["cache-control"] == "no-store"
    assert "set-cookie" not in right.headers


def test_guessing_ends_for_the_receipt_and_for_the_address(
    chain: LittleChain, client: httpx.Client
) -> None:
    till = chain.tills[0]
    till.sell(WATER.barcodes[0])
    till.sell(WATER.barcodes[0])
    assert till.sync()
    (_, hash_, fact), (_, other_hash, other) = tickets(till.till)
    code = int(verification_code(hash_))
    answers = [
        client.get(f"/r/{fact.receipt_no}/{(code + guess + 1) % 10**12:012d}").status_code
        for guess in range(WRONG_FOR_RECEIPT.count + 2)
    ]
    assert answers == [404] * WRONG_FOR_RECEIPT.count + [429] * 2
    # The right code is no way to find out either, while the limit lasts; others are not held up.
    assert client.get(address(hash_, fact)).status_code == 429
    assert client.get(address(other_hash, other)).status_code == 200
    # A number that is not here is counted alike.
    nobody = [
        client.get(f"/r/777/{n:012d}").status_code for n in range(WRONG_FOR_RECEIPT.count + 1)
    ]
    assert nobody == [404] * WRONG_FOR_RECEIPT.count + [429]
    left = WRONG_FROM_ADDRESS.count - 2 * WRONG_FOR_RECEIPT.count
    spread = [client.get(f"/r/{n + 1000}/000000000000").status_code for n in range(left + 1)]
    assert spread == [404] * left + [429]
    assert client.get(address(other_hash, other)).status_code == 429
    chain.clock.advance(seconds=3600)
    assert client.get(address(hash_, fact)).status_code == 200
    assert client.get(address(other_hash, other)).status_code == 200


def test_one_number_on_two_receipts_is_told_apart_by_the_code(
    chain: LittleChain, client: httpx.Client, tmp_path: Path
) -> None:
    import shutil  # noqa: PLC0415 - a disk image

    till = chain.tills[0]
    till.till.close()
    image = tmp_path / "image"
    shutil.copytree(till.folder.path, image)
    till.open()
    till.sell(WATER.barcodes[0])
    assert till.sync()
    here = tickets(till.till)[-1]
    till.till.close()
    shutil.rmtree(till.folder.path)
    shutil.copytree(image, till.folder.path)
    till.open()
    till.sell(BISCUITS.barcodes[0])
    till.sync()
    there = tickets(till.till)[-1]
    assert here[2].receipt_no == there[2].receipt_no  # type: ignore[attr-defined]  # sales
    pages = [client.get(address(hash_, fact)).text for _, hash_, fact in (here, there)]
    assert "2.00" in pages[0]
    assert "12.50" not in pages[0]
    assert "12.50" in pages[1]


def test_who_was_erased_is_not_named_any_more(chain: LittleChain, client: httpx.Client) -> None:
    till = chain.tills[0]
    member = till.enrol("赵小明", phone="13800138000", card="8600123456781234")
    till.sell(BISCUITS.barcodes[0], member=member)
    assert till.sync()
    ((_, hash_, fact),) = tickets(till.till)
    before = client.get(address(hash_, fact)).text
    assert "<i>赵</i>**" in before
    assert "****1234" in before
    chain.server.services.erasure.erase(member.member_id, reason="request")
    after = client.get(address(hash_, fact)).text
    assert "赵" not in after
    assert "1234" not in re.sub(r"\d{5,}", "", after)
    assert any("原有积分" in row for row in paper_of(after))


def test_a_form_that_no_till_writes_shows_nothing_of_itself(
    chain: LittleChain, client: httpx.Client
) -> None:
    till = chain.tills[0]
    identity = till.till.identity
    forged = ReceiptForm(names={"zh": "假店"}, invoice="javascript:alert(1)")
    fact = ReceiptFormChanged(
        store_id=identity.store_id, till_id=identity.till_id, operator_id=None, form=forged
    )
    till.till.books.record(Writing(fact))
    till.sell(WATER.barcodes[0])
    assert till.sync()
    ((_, hash_, sale),) = tickets(till.till)
    page = client.get(address(hash_, sale))
    assert page.status_code == 200
    assert "javascript" not in page.text
    assert "假" not in page.text
    assert paper_of(page.text)[0] == "店1"


def test_on_a_phone(chain: LittleChain, client: httpx.Client) -> None:
    till = chain.tills[0]
    a_day(till)
    back(till, till.sell(WATER.barcodes[0]), Wanted(1, 1))
    assert till.sync()
    _, hash_, fact = tickets(till.till)[1]
    SCREENS.mkdir(parents=True, exist_ok=True)
    with launched() as chromium:
        for language, tag, width, height in (
            ("zh_CN", "zh-CN", 390, 844),
            ("en", "en-GB", 1366, 768),
            ("both", "zh-CN", 320, 640),
        ):
            if True:
                context = chromium.new_context(
                    base_url=chain.server.url,
                    locale=tag,
                    viewport={"width": width, "height": height},
                    java_script_enabled=False,
                )
                page = context.new_page()
                page.goto(address(hash_, fact))
                if language == "both":
                    page.get_by_role("link", name="双语").click()
                room = page.locator(".paper").bounding_box()
                assert room is not None
                assert room["x"] >= 0
                assert room["x"] + room["width"] <= width
                widest = page.locator(".paper p").evaluate_all(
                    "rows => Math.max(...rows.map(row => row.scrollWidth - row.clientWidth))"
                )
                assert widest <= 1
                expect(page.locator(".returns li")).to_have_count(1)
                picture(page, SCREENS / f"receipt-{language}-{width}.png", full_page=True)
                context.close()
        context = chromium.new_context(
            base_url=chain.server.url, locale="en-GB", viewport={"width": 390, "height": 844}
        )
        page = context.new_page()
        page.goto("/r/")
        page.get_by_label("Receipt number").fill(fact.receipt_no)  # type: ignore[attr-defined]  # a sale
        page.get_by_label("Receipt code").fill("0000 0000 0000")
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was found")
        picture(page, SCREENS / "receipt-none-390.png")
        page.get_by_label("Receipt number").fill(fact.receipt_no)  # type: ignore[attr-defined]  # a sale
        code = verification_code(hash_)
        page.get_by_label("Receipt code").fill(f"{code[:4]} {code[4:8]} {code[8:]}")
        page.get_by_role("button").click()
        expect(page.locator(".paper")).to_be_visible()
        context.close()
