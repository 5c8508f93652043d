"""The server's signed word to one journal: terms that name it, and nobody else's."""

from typing import Protocol, TypeVar

import msgspec

from shared.errors import ProtocolError
from shared.ids import JournalId
from shared.journal.keys import PublicKey, Signed, SigningKey, sign_statement
from shared.journal.strict import check_strict, encode_strict


class OwnTerms(Protocol):
    """What is said, and to whom."""

    @property
    def journal(self) -> JournalId:
        """The only one for which it counts."""


Terms = TypeVar("Terms", bound=OwnTerms)


def sign_own(key: SigningKey, terms: OwnTerms, *, purpose: str) -> Signed:
    """The server's word to the journal that the terms name."""
    return sign_statement(
        key, purpose=purpose, audience=terms.journal, payload=encode_strict(terms)
    )


def own_terms(
    signed: Signed, key: PublicKey, journal: JournalId, *, purpose: str, kind: type[Terms]
) -> Terms:
    """The terms, if the server's key gave them to this journal.

    Raises ProtocolError ``wrong-statement``, ``bad-signature``, and ``bad-`` with the purpose.
    """
    payload = signed.verify(key, purpose=purpose, audience=journal)
    check_strict(payload)
    try:
        terms = msgspec.json.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"bad-{purpose}", reason=str(error)) from error
    if terms.journal != journal:
        raise ProtocolError(f"bad-{purpose}", reason="journal")
    return terms
