"""What leases allow was not passed, and no money that was paid in came to less than nothing."""

import json
from typing import TYPE_CHECKING

from tests.simulation.violation import must

if TYPE_CHECKING:
    from tests.simulation.world import World

ABOUT_LEASES = ("spent-without-lease", "lease-")


def check_value(world: "World") -> None:
    """Judge stored value, gift cards and leases, by the facts' own words."""
    _check_cards(world)
    told = _lease_exceptions(world)
    for lease, spent in world.booked.spent.items():
        granted = world.hearing.granted[lease]
        passed = spent > granted
        must(not passed or world.may_pass_rights, "lease", lease, "of", granted, "spent", spent)
        must(not passed or any(lease in key for key in told), "lease", lease, "is passed, unseen")
    below = [member for member, sums in world.booked.sums.items() if sums.value < 0]
    below += [card for card, left in world.booked.cards.items() if left < 0]
    must(not below or world.may_pass_rights, "less than nothing is left of", below)
    must(not below or told, "less than nothing is left of", below, "and nobody was told")


def _check_cards(world: "World") -> None:
    held = {
        card: -amount
        for card, amount in world.server.reading.execute(
            "SELECT owner, SUM(amount) FROM balances WHERE account = 'gift-card' AND owner != ''"
            " GROUP BY owner"
        )
    }
    for card in held.keys() | world.booked.cards.keys():
        ours, theirs = world.booked.cards[card], held.get(card, 0)
        must(ours == theirs, "the server holds", theirs, "on card", card, "not", ours)


def _lease_exceptions(world: "World") -> list[str]:
    """Natural keys of what the server found about leases."""
    bodies = [
        json.loads(row[0])["body"]
        for row in world.server.reading.execute(
            "SELECT bytes FROM entries WHERE kind = 'exception_raised'"
        )
    ]
    return [one["natural_key"] for one in bodies if one["rule"].startswith(ABOUT_LEASES)]
