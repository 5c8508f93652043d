"""A case as a document for ``evertill quote``, so that it can be tried by hand and kept."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import msgspec

from shared.catalogue.goods import Goods
from shared.pricing.basket import Basket, BasketLine
from tests.judges.brute_force.cases import Case

MEMBER = "li"


def worked_case(case: Case, total_minor: int, *remarks: str) -> str:
    """TOML that states the case and what it has to cost."""
    rows = [f"# Seed {case.seed}. {remark}" for remark in remarks]
    rows.append(f"at = {case.basket.at.replace(tzinfo=None).isoformat()}")
    rows.append(f"store = {_value(case.basket.store)}")
    rows.append(f"till = {_value(case.basket.till or '')}")
    rows += _programme(case)
    for goods in _goods(case.basket):
        rows += _table("[[goods]]", goods)
    if case.basket.member is not None:
        rows += _table("[[members]]", _member(case.basket))
    for step in _steps(case.basket):
        rows += _table("[[steps]]", step)
    rows += _table("[expect]", {"total_minor": total_minor})
    return "\n".join(rows) + "\n"


def _programme(case: Case) -> Iterator[str]:
    """Offers that are used up are left out: a scenario has no uses of before."""
    used_up = _used_up(case.basket)
    told = msgspec.to_builtins(case.programme, builtin_types=(date, time))
    lists = {key: told.pop(key, []) for key in ("offers", "coupons", "tax_classes", "groups")}
    lists["offers"] = [one for one in lists["offers"] if one["id"] not in used_up]
    lists["coupons"] = [one for one in lists["coupons"] if one["offer"] not in used_up]
    yield from _table("[programme]", told)
    for name, rows in lists.items():
        for row in rows:
            yield from _table(f"[[programme.{name}]]", row)


def _used_up(basket: Basket) -> set[str]:
    return {use.offer for use in basket.uses if use.by_member}


def _goods(basket: Basket) -> Iterator[dict[str, Any]]:
    known: dict[str, Goods] = {line.goods.sku: line.goods for line in basket.lines}
    for sku in sorted(known):
        told = msgspec.to_builtins(known[sku])
        told["price_minor"] = told.pop("list_price_minor")
        wanted = (
            "sku",
            "price_minor",
            "tax_class",
            "category",
            "brand",
            "supplier",
            "marks",
            "sold_by",
            "no_discount",
            "no_points",
        )
        yield {name: told[name] for name in wanted if told[name] or name == "price_minor"}


def _member(basket: Basket) -> dict[str, Any]:
    assert basket.member is not None
    told: dict[str, Any] = {"id": MEMBER, "segments": basket.member.segments}
    told |= {"tier_floor": basket.member.tier, "floor_until": date(2099, 12, 31)}
    if basket.member.points:
        told["lots"] = [{"points": basket.member.points, "earned_on": date(2026, 1, 1)}]
    return told


def _steps(basket: Basket) -> Iterator[dict[str, Any]]:
    if basket.member is not None:
        yield {"do": "member", "member": MEMBER}
    for line in basket.lines:
        yield from _line(line)
    for claim in basket.claims:
        yield {"do": "claim", "coupon": claim.coupon, "code": claim.instance}
    used_up = _used_up(basket)
    for reward in basket.rewards:
        if reward.offer not in used_up:
            yield {"do": "reward", "offer": reward.offer, "times": reward.times}
    for offer, goods in basket.gifts:
        if offer not in used_up:
            yield {"do": "gift", "offer": offer, "goods": goods}
    for planned in basket.paying:
        yield {"do": "paying", "tender": planned.tender}


def _line(line: BasketLine) -> Iterator[dict[str, Any]]:
    step: dict[str, Any] = {"do": "add", "goods": line.goods.sku, "line": line.id}
    step |= {"grams": line.grams} if line.grams else {"units": line.units}
    for name in ("price_minor", "label_minor"):
        if (typed := getattr(line, name)) is not None:
            step[name] = typed
    yield step
    if line.discount is not None:
        amounts = {"basis_points": line.discount.basis_points}
        amounts |= {"amount_minor": line.discount.amount_minor}
        yield {"do": "discount", "line": line.id, **amounts}


def _table(head: str, fields: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield head
    for name, value in fields.items():
        if value != {}:
            yield f"{name} = {_value(value)}"


def _value(value: object) -> str:
    """A value in TOML, nested tables in one row."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            raise AssertionError(value)
