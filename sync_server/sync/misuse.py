"""What facts that are about to be booked make wrong together with those before them."""

from collections.abc import Sequence

from sync_server.database.transaction import Work
from sync_server.leases.claims import settle_leases
from sync_server.ledger.approvals import find_replayed_approvals
from sync_server.ledger.finding import Finding
from sync_server.ledger.kept import Reading
from sync_server.ledger.numbering import find_same_numbers
from sync_server.ledger.overreturning import find_overreturning
from sync_server.ledger.overspending import find_overspending
from sync_server.ledger.own_card import find_own_cards
from sync_server.ledger.self_referral import find_self_referrals


def find_misuse(work: Work, readings: Sequence[Reading]) -> list[Finding]:
    """All findings of one batch; leases are settled by what it spends of them."""
    return [
        *find_overspending(work, readings),
        *find_overreturning(work, readings),
        *find_self_referrals(work, readings),
        *find_replayed_approvals(work, readings),
        *find_own_cards(work, readings),
        *find_same_numbers(work, readings),
        *settle_leases(work, readings),
    ]
