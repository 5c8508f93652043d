"""The page about the programme document names every field, and its examples are what it says."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from shared.loyalty.accounts import GiftCards, Restriction, StoredValue, TenderRule
from shared.loyalty.document import GoodsSet
from shared.loyalty.engagement import Action, Partner, PrizeDraw, Referral, VisitCard
from shared.loyalty.leasing import Leases
from shared.loyalty.offers import Coupon, Offer
from shared.loyalty.programme import Earning, PriceList, Programme, Redemption, TaxClass, Tiers

PAGE = (Path(__file__).parents[3] / "docs" / "programme.md").read_text(encoding="utf-8")
SHAPES = (
    GoodsSet,
    TaxClass,
    Tiers,
    Earning,
    Redemption,
    Offer,
    PriceList,
    Coupon,
    StoredValue,
    GiftCards,
    Leases,
    TenderRule,
    Restriction,
    Referral,
    Action,
    Partner,
    VisitCard,
    PrizeDraw,
)


def structs(kind: object, found: dict[type, set[str]]) -> dict[type, set[str]]:
    """Every struct below a type with its field names."""
    shape = msgspec.inspect.type_info(kind) if isinstance(kind, type) else kind
    match shape:
        case msgspec.inspect.StructType() if shape.cls not in found:
            found[shape.cls] = {field.name for field in shape.fields}
            for field in shape.fields:
                structs(field.type, found)
        case msgspec.inspect.UnionType():
            for part in shape.types:
                structs(part, found)
        case msgspec.inspect.VarTupleType():
            structs(shape.item_type, found)
    return found


def test_every_field_of_the_document_is_on_the_page():
    fields = set().union(*structs(Programme, {}).values()) - {"zh", "en"}
    told = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`[^`]+`|```[^`]+```", PAGE))))
    assert fields - told == set()


def test_every_kind_of_rule_is_on_the_page():
    tags = {
        config.tag
        for kind in structs(Programme, {})
        if (config := kind.__struct_config__).tag is not None
    }
    assert {tag for tag in tags if f"`{tag}`" not in PAGE} == set()


EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("example", "shape"), list(zip(EXAMPLES, SHAPES, strict=True)))
def test_every_example_can_be_read(example, shape):
    assert msgspec.convert(json.loads(example), shape)
