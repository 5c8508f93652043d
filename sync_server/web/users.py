"""Who may sign in at head office."""

import re
import secrets
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select, update

from shared.clock import Clock
from shared.errors import DomainError
from sync_server.database.schema import users
from sync_server.database.times import format_time
from sync_server.database.transaction import Database

PASSWORD_LENGTH_MIN: Final = 10
PASSWORD_LENGTH_MAX: Final = 200
_LOGIN = re.compile(r"[\w.@-]{1,40}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signed in; the epoch ends all sessions when the password changes."""

    login: str
    session_epoch: str


@dataclass(frozen=True, slots=True)
class UserDesk:
    """Adds users and checks passwords."""

    database: Database
    clock: Clock
    hasher: PasswordHasher

    def add(self, login: str, password: str) -> None:
        """A new user, or a new password for a known one; ends that user's sessions.

        DomainError ``bad-login``, ``weak-password``.
        """
        if not _LOGIN.fullmatch(login):
            raise DomainError("bad-login", login=login[:40])
        if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
            raise DomainError("weak-password", minimum=PASSWORD_LENGTH_MIN)
        values = {
            "password_hash": self.hasher.hash(password),
            "session_epoch": secrets.token_hex(8),
        }
        with self.database.writing() as work:
            statement = update(users).where(users.c.shard == work.shard, users.c.login == login)
            if work.connection.execute(statement.values(**values)).rowcount == 0:
                created_at = format_time(self.clock.now())
                work.insert(users, [{"login": login, **values, "created_at": created_at}])

    def check(self, login: str, password: str) -> User | None:
        """The user, if the password is right. Takes as long for unknown names."""
        found = self.find(login)
        stored = found[1] if found else self._decoy()
        try:
            self.hasher.verify(stored, password[:PASSWORD_LENGTH_MAX])
        except VerificationError:
            return None
        return found[0] if found else None

    def find(self, login: str) -> tuple[User, str] | None:
        """A user and the password's hash."""
        if not _LOGIN.fullmatch(login):
            return None
        with self.database.reading() as snapshot:
            row = snapshot.connection.execute(
                select(users).where(users.c.shard == snapshot.shard, users.c.login == login)
            ).first()
        return (User(row.login, row.session_epoch), row.password_hash) if row else None

    def _decoy(self) -> str:
        return self.hasher.hash(secrets.token_hex(8))
