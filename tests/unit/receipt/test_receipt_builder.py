"""What a receipt says, read as the customer reads it."""

import re
from datetime import UTC, datetime

import msgspec
import pytest

from shared.language import Language, words
from shared.receipt.builder import receipt_of
from shared.receipt.document import Document
from shared.receipt.issue import Issue, MemberFace
from shared.receipt.layout import Grid, Line, lay_out
from shared.receipt.points import adds_up
from shared.receipt.text import gb18030_cells
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import Fact, PointsOutcome
from shared.trade.till import CashDirection, NoSale, ShiftClosed
from tests.unit.receipt.sample_facts import (
    ALL_FACTS,
    DROP,
    ENROLMENT,
    HELD,
    LINES,
    MEMBER,
    RETURN,
    SALE,
    SHIFT,
    SHIFT_CLOSED,
    TILL,
    issue,
)


def rows(fact: Fact, printing: Issue | None = None, columns: int = 48) -> list[str]:
    document = receipt_of(fact, printing or issue())
    assert isinstance(document, Document)
    pieces = lay_out(document, Grid(columns))
    return [re.sub(" {2,}", "  ", piece.text) for piece in pieces if isinstance(piece, Line)]


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("language", list(PaperLanguage))
@pytest.mark.parametrize("fact", ALL_FACTS, ids=lambda fact: fact.kind)
def test_every_paper_fits_every_width_in_every_language(
    fact: Fact, language: PaperLanguage, columns: int
) -> None:
    document = receipt_of(fact, issue(language))
    assert document is not None
    for piece in lay_out(document, Grid(columns)):
        if isinstance(piece, Line):
            assert gb18030_cells(piece.text) * piece.style.width_factor <= columns


def test_the_sale_can_be_checked_with_a_pencil() -> None:
    shown = rows(SALE)
    middle = shown[shown.index("农夫山泉饮用天然水550ml  2×2.00  4.00") :]
    assert middle[:16] == [
        "农夫山泉饮用天然水550ml  2×2.00  4.00",
        "  第二件半价  -1.00",
        "进口红富士苹果  1.256kg×12.80  16.08",
        "维达超韧三层抽取式面巾纸家庭  1×59.90  59.90",
        "装二十四包整箱",
        "  原价 69.90",
        "━" * 24,
        "小计  78.98",
        "满50减10  -10.00",
        "抹零前  68.98",
        "抹零  -0.08",
        "合计  ￥68.90".replace("￥", "¥"),
        "共 4 件  已省 ¥11.00",
        "积分抵现 (500)  5.00",
        "现金  100.00",
        "找零  36.10",
    ]


def test_figures_of_the_sums_add_up_to_what_is_due() -> None:
    shown = rows(SALE)
    after_rule = shown[shown.index("━" * 24) + 1 :]
    subtotal, offer, before, rounding, total = (
        int(re.sub(r"[^\d-]", "", row.split("  ")[-1])) for row in after_rule[:5]
    )
    assert subtotal + offer == before
    assert before + rounding == total == SALE.total + SALE.rounding


def test_points_are_printed_as_a_sum_with_signs_and_the_time_they_are_true_for() -> None:
    shown = rows(SALE)
    start = shown.index("原有积分  1,284")
    assert shown[start : start + 7] == [
        "原有积分  1,284",
        "  获得：消费积分  +63",
        "  获得：会员日  +32",
        "  使用  -500",
        "现有积分  879",
        "本次积分有效期至 2027-12-31",
        "余额截至 2026-11-22 14:04",
    ]


def points(**changes: object) -> PointsOutcome:
    whole = {"opening": 100, "earned": 20, "spent": 30, "closing": 90, "as_of": "2026-11-22T00:00Z"}
    return PointsOutcome(**{**whole, **changes})  # type: ignore[arg-type]  # named by the tests


def test_points_that_do_not_add_up_are_not_printed() -> None:
    assert adds_up(points())
    assert adds_up(points(adjusted=-5, closing=85))
    assert not adds_up(points(closing=91))
    member = msgspec.structs.replace(SALE.member, points=points(closing=91))
    shown = rows(msgspec.structs.replace(SALE, member=member))
    assert "积分明细请稍后在门店查询" in shown
    assert not any("91" in row for row in shown[shown.index("积分明细请稍后在门店查询") :][:2])


def test_rules_that_do_not_give_what_was_earned_withhold_the_points() -> None:
    wrong = msgspec.structs.replace(SALE.member.points, by_rule=SALE.member.points.by_rule[:1])  # type: ignore[union-attr]  # the sample has a member
    assert not adds_up(wrong)


def test_offline_balances_are_marked_as_provisional_with_their_time() -> None:
    shown = rows(RETURN)
    assert "现有积分  888 *" in shown
    assert any(row.startswith("* 余额截至 2026-11-22 09:30（离线）") for row in shown)


def test_a_return_takes_back_and_gives_back_points_under_their_own_names() -> None:
    shown = rows(RETURN)
    assert "  退货收回  -2" in shown
    assert "  退还  +11" in shown
    assert "退款  ¥1.50" in shown
    assert "原小票号  01-000123" in shown


def test_a_return_without_receipt_says_so() -> None:
    fact = msgspec.structs.replace(RETURN, original=None, original_receipt_no="")
    assert "无小票退货" in rows(fact)


def test_names_and_cards_are_masked_whatever_comes_in() -> None:
    everything = "\n".join(rows(SALE))
    assert "王**" in everything
    assert "****1234" in everything
    assert "王小明" not in everything
    assert "8600123456781234" not in everything
    assert "王小明" not in repr(MEMBER)


@pytest.mark.parametrize("name", ["\x1b@王\x1dV\x00", "\u202e王小明", "  王\t小", "王\x10\x04\x01"])
def test_a_hostile_name_changes_nothing_but_the_name(name: str) -> None:
    hostile = rows(SALE, issue(member=MemberFace(name=name, card=MEMBER.card)))
    harmless = rows(SALE, issue(member=MemberFace(name="王小明", card=MEMBER.card)))
    changed = [pair for pair in zip(hostile, harmless, strict=True) if pair[0] != pair[1]]
    assert all("会员" in was for _, was in changed)
    assert not any(character < " " for row in hostile for character in row)


def test_a_copy_says_so_in_both_languages_and_an_original_never_does() -> None:
    for language in PaperLanguage:
        assert "副本 COPY 2" in rows(SALE, issue(language, copy=2))
        assert not any("COPY" in row for row in rows(SALE, issue(language)))


def test_a_copy_is_otherwise_the_original() -> None:
    copied = rows(SALE, issue(copy=1))
    copied.remove("副本 COPY 1")
    assert copied == rows(SALE)


def test_training_is_marked() -> None:
    assert "培训练习，不作凭证" in rows(msgspec.structs.replace(SALE, training=True))


def test_four_characters_of_the_hash_are_printed() -> None:
    assert "校验码 3FA9" in rows(SALE)


def test_both_languages_stand_on_one_paper() -> None:
    shown = rows(SALE, issue(PaperLanguage.BOTH))
    assert {"常青便利", "Evergreen Store", "  Nongfu Spring water 550 ml"} <= set(shown)
    assert "合计 Total  ¥68.90" in shown


def test_english_takes_english_names_and_falls_back_to_what_there_is() -> None:
    nameless = msgspec.structs.replace(LINES[0], names={"zh": "无英文名"})
    shown = rows(
        msgspec.structs.replace(SALE, lines=(nameless, *LINES[1:])), issue(PaperLanguage.ENGLISH)
    )
    assert any(row.startswith("无英文名") for row in shown)
    assert any(row.startswith("Fuji apples") for row in shown)


def test_a_basket_without_basket_offers_shows_no_subtotal() -> None:
    plain = msgspec.structs.replace(LINES[0], discounts=(), amount=400)
    sale = msgspec.structs.replace(
        SALE, lines=(plain,), offers=(), total=400, rounding=0, member=None, coupons_issued=()
    )
    assert not any(row.startswith(("小计", "抹零")) for row in rows(sale))


def test_tax_that_is_added_to_prices_stands_between_subtotal_and_total() -> None:
    taxed = msgspec.structs.replace(LINES[0], discounts=(), amount=460)
    sale = msgspec.structs.replace(
        SALE, lines=(taxed,), offers=(), total=460, rounding=0, member=None, coupons_issued=()
    )
    shown = rows(sale)
    assert "小计  4.00" in shown
    assert "税额  0.60" in shown


def test_the_shift_report_leads_from_float_to_expected_cash() -> None:
    shown = rows(SHIFT_CLOSED)
    start = shown.index("备用金  500.00")
    column = [int(re.sub(r"[^\d-]", "", row.split("  ")[-1])) for row in shown[start : start + 5]]
    assert sum(column[:4]) == column[4] == SHIFT_CLOSED.expected_cash
    assert {"差额  -1.00", "未上传记录  4", "未结挂单  1", "累计净额  987,654.32"} <= set(shown)


def test_a_shift_that_balances_shows_a_difference_of_nothing() -> None:
    even = msgspec.structs.replace(
        SHIFT_CLOSED, counted_cash=SHIFT_CLOSED.expected_cash, unsent=0, held_open=0, counts=()
    )
    shown = rows(even)
    assert "差额  0.00" in shown
    assert not any(row.startswith(("未上传", "未结", "点钞")) for row in shown)


def test_slips_of_the_till_say_what_they_are() -> None:
    assert "本单不是付款凭证" in rows(HELD)
    assert "已同意会员条款（版本 2026-01）" in rows(ENROLMENT)
    assert "金额  -¥2,000.00" in rows(DROP)
    paid_in = msgspec.structs.replace(DROP, direction=CashDirection.PAID_IN)
    assert {"现金存入", "金额  ¥2,000.00"} <= set(rows(paid_in))


def test_facts_without_paper_have_none() -> None:
    fact = NoSale(shift_id=SHIFT, till_id=TILL, operator_id=SALE.operator_id, reason="change")
    assert receipt_of(fact, issue()) is None


def test_the_same_fact_gives_the_same_paper() -> None:
    assert receipt_of(SALE, issue()) == receipt_of(SALE, issue())


def test_the_time_on_paper_is_the_shops_own_with_its_zone() -> None:
    shown = rows(SALE, issue(occurred_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC)))
    assert "时间  2027-01-01 07:30 +08:00" in shown


def test_every_title_and_every_tender_has_words_in_both_languages() -> None:
    for language in Language:
        for direction in CashDirection:
            assert f"paper.title.{direction}" in words(language)


def test_an_empty_shift_prints() -> None:
    empty = msgspec.structs.replace(SHIFT_CLOSED, tenders=(), counts=())
    assert isinstance(empty, ShiftClosed)
    assert rows(empty)
