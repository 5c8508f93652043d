"""What members agreed to, decided in many places: the most restrictive holds.

A decision names those it was made in the knowledge of, and takes their place. Decisions that did
not know of each other stand side by side: consent holds only where all that stand are grants. So a
withdrawal holds until a grant that has seen it, whatever the order in which both arrive.
Source: the multi-value register of Shapiro et al., "A comprehensive study of Convergent and
Commutative Replicated Data Types" (2011).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from shared.ids import EntryId


class Consent(StrEnum):
    """What a member is asked for: per channel and purpose, never in one."""

    NEWS_BY_SMS = "news-by-sms"
    NEWS_BY_EMAIL = "news-by-email"
    PURCHASES = "purchases"
    """What was bought may be looked at to choose what is offered."""


class Decision(NamedTuple):
    """One answer to one question."""

    entry_id: EntryId
    """The fact that says it."""
    consent: Consent
    is_granted: bool
    seen: frozenset[EntryId] = frozenset()
    """The decisions that stood when it was made, as far as was known there."""


def standing(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Those that no other has seen, in a fixed order; the same for any order of arrival."""
    unique = set(decisions)
    seen = {(one.consent, entry) for one in unique for entry in one.seen}
    left = (one for one in unique if (one.consent, one.entry_id) not in seen)
    return tuple(sorted(left, key=lambda one: (one.consent, one.entry_id)))


def granted(decisions: Iterable[Decision]) -> frozenset[Consent]:
    """What may be done by the decisions that stand: nothing that any of them refuses."""
    stand = standing(decisions)
    refused = {one.consent for one in stand if not one.is_granted}
    return frozenset(one.consent for one in stand) - refused
