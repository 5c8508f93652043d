"""Tills and servers of other releases, by what they speak and what they can read.

An older till speaks an older version of the protocol, so that the server answers as it answers
those. An older server speaks up to an older version, or has never heard of some facts: what tills
of this release write of them lies in its quarantine until it is upgraded. Both are the product's
own ways; only the numbers and the list of facts are another release's.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from importlib import import_module
from typing import Final
from unittest import mock

from shared.protocol.message import PROTOCOL
from shared.trade import kinds

TILLS_SPEAK: Final = (
    "desktop.sync.http",
    "desktop.sync.push",
    "desktop.sync.pull",
    "desktop.sync.leases",
    "desktop.sync.commands",
    "desktop.sync.salvaging",
    "desktop.sync.snapshot_fetch",
    "desktop.sync.enrolment",
    "desktop.services.elsewhere",
)
SERVERS_SPEAK: Final = ("sync_server.api.wire", "sync_server.api.tills")
OLDER_TILLS: Final = (PROTOCOL - 1, PROTOCOL - 2, PROTOCOL - 3)
LATER_FACTS: Final = frozenset(
    {"value_topped_up", "value_closed", "gift_card_sold", "gift_card_closed"}
)
"""Of stored value and gift cards, as if they had come with this release."""


class Release(StrEnum):
    """What a server is in the beginning."""

    CURRENT = "current"
    FEWER_FACTS = "fewer facts"
    OLDER_PROTOCOL = "older protocol"


@contextmanager
def as_spoken() -> Iterator[None]:
    """Whatever a run makes tills speak, they speak as before afterwards."""
    with ExitStack() as patches:
        for name in TILLS_SPEAK:
            patches.enter_context(mock.patch(f"{name}.PROTOCOL", PROTOCOL))
        yield


def speak(protocol: int) -> None:
    """Let the till that acts speak a version of the protocol."""
    for name in TILLS_SPEAK:
        import_module(name).PROTOCOL = protocol  # type: ignore[attr-defined]  # set for a while


@contextmanager
def serving_as(release: Release) -> Iterator[None]:
    """What the server does meanwhile, it does as a release."""
    with ExitStack() as patches:
        if release is Release.OLDER_PROTOCOL:
            for name in SERVERS_SPEAK:
                patches.enter_context(mock.patch(f"{name}.PROTOCOL", PROTOCOL - 1))
        if release is Release.FEWER_FACTS:
            known = {
                key: value for key, value in kinds._decoders.items() if key[0] not in LATER_FACTS
            }
            patches.enter_context(mock.patch.object(kinds, "_decoders", known))
            patches.enter_context(mock.patch("sync_server.sync.quarantine.READER", "earlier"))
        yield
