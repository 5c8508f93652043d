"""Learning the server's new keys, when something is signed by one that is not known yet."""

from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Engine

from desktop.store.identity import TillIdentity
from desktop.store.server_trust import Learned, read_learned, read_trusted, write_learned
from desktop.store.writer import Urgency, Writer
from shared.errors import ProtocolError
from shared.journal.keys import PublicKey, Signed
from shared.journal.server_key import STATEMENTS_MAX

log = structlog.get_logger("sync")


class ServerTrust:
    """Which key signed what the server says; asks the server where it is a new one.

    Used from the sync thread alone: asking takes its time, and no sale may wait for it.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        identity: TillIdentity,
        fetch: Callable[[], Sequence[Signed]],
    ) -> None:
        """``fetch`` asks the server for all statements about its keys."""
        self._writer = writer
        self._reading = reading
        self._identity = identity
        self._fetch = fetch
        with reading.connect() as connection:
            self._trusted = read_trusted(connection, identity)
            self._told = read_learned(connection, identity).told

    def key_for(self, signed: Signed) -> PublicKey:
        """The key that should have signed this.

        Raises ProtocolError ``wrong-statement`` where nobody whom this till believes vouched for
        it, ``revoked-server-key`` for one that was taken back, and what asking the server raises.
        """
        try:
            return self._trusted.key_for(signed)
        except ProtocolError as error:
            if error.code != "unknown-server-key":
                raise
        self.learn()
        try:
            return self._trusted.key_for(signed)
        except ProtocolError as error:
            if error.code != "unknown-server-key":
                raise
            raise ProtocolError(
                "wrong-statement", purpose=signed.purpose, key_id=signed.key_id
            ) from error

    def told_of(self, statements: int) -> None:
        """The server says how many statements it has: where that is news, they are read."""
        if statements not in (0, self._told):
            self.learn(statements)

    def learn(self, told: int | None = None) -> None:
        """Ask the server, and keep what the root of the moment vouches for."""
        statements = self._fetch()
        if len(statements) > STATEMENTS_MAX:
            raise ProtocolError("not-our-server")
        before = self._trusted.root.id
        new = [signed for signed in statements if self._trusted.learn(signed)]
        self._told = len(statements) if told is None else told
        if new:
            log.info("server-keys-learned", count=len(new), root=self._trusted.root.id != before)
        learned = Learned(
            root=self._identity.root_key,
            # The first one is in the identity.
            statements=tuple(
                one for one in self._trusted.statements if one != self._identity.server_key
            ),
            told=self._told,
        )
        self._writer.run(
            lambda transaction: write_learned(transaction.connection, learned), Urgency.BACKGROUND
        )
