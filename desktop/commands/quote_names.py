"""What goods and rules are called: names instead of SKUs and ids, in one language."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from shared.language import Language, words
from shared.loyalty.bundle import template
from shared.loyalty.document import Names
from shared.loyalty.programme import Programme
from shared.trade.fact import TenderKind
from shared.workbench.later_steps import ChangeOffer
from shared.workbench.scenario import Scenario


class Named(Protocol):
    """A rule of a programme."""

    @property
    def id(self) -> str:
        """What names it in the document."""

    @property
    def names(self) -> Names:
        """What people call it."""


@dataclass(frozen=True, slots=True)
class Called:
    """Names by kind and id; what has none is called by its id."""

    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, kind: str, name: str) -> str:
        """What something of a kind is called."""
        return self.names.get((kind, name)) or name


def called_in(scenario: Scenario, language: Language) -> Called:
    """The names of a scenario and of its programme."""
    programme = scenario.programme or template(scenario.template)
    found = {(kind, one.id): one.names.get(language) for kind, one in _rules(programme)}
    for step in scenario.steps:
        if isinstance(step, ChangeOffer) and step.replacement is not None:
            found["offer", step.replacement.id] = step.replacement.names.get(language)
    say = words(language)
    found |= {("tender", kind.value): say(f"paper.tender.{kind.value}") for kind in TenderKind}
    for one in scenario.goods:
        name = one.name_zh if language is Language.CHINESE else one.name_en
        found["goods", one.sku] = name
    return Called(found)


def _rules(programme: Programme) -> Iterator[tuple[str, Named]]:
    earning = programme.earning
    kinds: dict[str, Iterable[Named]] = {
        "tier": programme.tiers.ladder,
        "tax": programme.tax_classes,
        "offer": programme.offers,
        "coupon": programme.coupons,
        "rule": (*programme.visit_cards, *earning.rules, *earning.growth),
        "card": programme.visit_cards,
        "draw": programme.draws,
        "partner": programme.partners,
        "restriction": programme.restrictions,
        "prize": [prize for draw in programme.draws for prize in draw.prizes],
    }
    for kind, rules in kinds.items():
        yield from ((kind, one) for one in rules)
