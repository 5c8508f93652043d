"""The index of offers finds what asking every offer finds."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared.catalogue.goods import Goods
from shared.ids import GoodsId
from shared.loyalty.document import EVERYTHING, GoodsSet, Names
from shared.loyalty.effects import Bundle, BundlePart, Effect, PercentOff
from shared.loyalty.offers import Offer
from shared.pricing.rulebook import Rulebook, goods_of
from tests.pricing_builders import programme

NAMES = Names(zh="优惠", en="Offer")
CATEGORIES = ["", "food", "food/tea", "food/tea/green", "foods", "drink"]
names = st.sampled_from(["a", "b", "c"])
some = st.lists(names, max_size=2, unique=True).map(tuple)
goods_sets = st.one_of(
    st.just(EVERYTHING),
    st.builds(
        GoodsSet,
        skus=some,
        categories=st.lists(st.sampled_from(CATEGORIES[1:]), max_size=2, unique=True).map(tuple),
        brands=some,
        marks=some,
        suppliers=some,
        except_skus=some,
    ),
)
goods = st.builds(
    Goods,
    sku=names.map(GoodsId),
    name_zh=st.just("货"),
    name_en=st.just("x"),
    list_price_minor=st.just(100),
    tax_class=st.just("food"),
    category=st.sampled_from(CATEGORIES),
    brand=st.sampled_from(["", "a", "b", "c"]),
    supplier=st.sampled_from(["", "a", "b", "c"]),
    marks=some,
)
effects = st.one_of(
    st.just(PercentOff(basis_points_off=1_000)),
    st.builds(
        Bundle,
        parts=st.lists(st.builds(BundlePart, goods=goods_sets), min_size=1, max_size=2).map(tuple),
        price_minor=st.just(1),
    ),
)


@given(
    st.lists(st.tuples(goods_sets, effects), max_size=8),
    st.lists(goods, min_size=1, max_size=4),
)
def test_no_offer_whose_goods_are_in_the_basket_is_missed(
    rules: Sequence[tuple[GoodsSet, Effect]], basket: Sequence[Goods]
) -> None:
    offers = [
        Offer(id=f"o{number}", version=1, names=NAMES, goods=of_goods, effect=effect)
        for number, (of_goods, effect) in enumerate(rules)
    ]
    book = Rulebook(programme(*offers))
    found = book.met_by(basket)

    meant = {
        index
        for index, offer in enumerate(book.offers)
        if any(one_set.contains(one) for one_set in goods_of(offer) for one in basket)
    }
    assert meant <= found


def test_an_offer_for_other_goods_is_not_asked() -> None:
    offer = Offer(
        id="tea",
        version=1,
        names=NAMES,
        goods=GoodsSet(categories=("food/tea",)),
        effect=PercentOff(basis_points_off=1_000),
    )
    book = Rulebook(programme(offer))
    cup = Goods(
        sku=GoodsId("c"),
        name_zh="杯子",
        name_en="cup",
        list_price_minor=1,
        tax_class="x",
        category="food",
    )
    assert not book.always
    assert book.concerned_by(cup) == set()
