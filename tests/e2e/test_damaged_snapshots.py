"""A snapshot that is not exactly the one the server signed for this till now is never taken."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import msgspec
import pytest

from desktop.bootstrap import Till
from desktop.store.settings import drop_value, write_cursor
from desktop.sync.http import RefusedError
from desktop.sync.snapshot import SnapshotTaker
from desktop.sync.snapshot_fetch import READ_THROUGH
from shared.errors import ProtocolError
from shared.ids import JournalId
from shared.journal.keys import Signed, new_signing_key
from shared.language import Language, words
from shared.protocol.cursor import Cursor, encode_cursor
from shared.protocol.message import PROTOCOL, ErrorReply, Stream
from shared.protocol.snapshot import (
    SnapshotReply,
    SnapshotRequest,
    SnapshotTerms,
    proved_terms,
    sign_terms,
)
from sync_server.bootstrap import Services
from tests.support.little_chain import LittleChain
from tests.support.new_till import enrolled_till, holdings, opened

MEMBERS = 40
TRIES = 300
STAYS = 50
"""Of the tries, those in which the disk and not the line does the damage."""


@dataclass
class Served:
    """A server that gives what it is told to give."""

    statement: Signed
    content: bytes

    def snapshot(self, _request: SnapshotRequest) -> SnapshotReply:
        return SnapshotReply(snapshot=self.statement)

    def snapshot_part(self, _name: str, *, first: int, size: int) -> bytes:
        return self.content[first : first + size]


@dataclass
class Place:
    """A till with nothing pulled yet, and what a server has for it."""

    chain: LittleChain
    till: Till
    good: Served

    @property
    def services(self) -> Services:
        return self.chain.server.services

    @property
    def taker(self) -> SnapshotTaker:
        return self.till.puller._snapshots

    @property
    def terms(self) -> SnapshotTerms:
        return proved_terms(
            self.good.statement, self.services.vault.signing.public, journal=self.journal
        )

    @property
    def journal(self) -> JournalId:
        return self.till.identity.journal

    def signed(self, **changes: object) -> Signed:
        """The server's word for something else."""
        other = msgspec.structs.replace(self.terms, **changes)
        return sign_terms(self.services.vault.signing, other, journal=self.journal)

    def take(self, served: Served) -> bool:
        return self.taker.take(served, lambda: False)  # type: ignore[arg-type]  # in its place

    def assert_nothing_came(self, reason: str = "") -> None:
        refused = self.taker.refused
        assert refused is not None
        assert refused.code == "bad-snapshot"
        if reason:
            assert refused.fields["reason"] == reason
        found = holdings(self.till.store.folder)
        assert found["members"] == found["held_rows"] == found["member_keys"] == []
        assert not self.till.members.search("0000")
        assert not self.till.store.folder.snapshot.exists()
        with self.till.books.reading() as connection:
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM cursors").scalar() == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with LittleChain(tmp_path_factory.mktemp("chain")) as chain:
        first = chain.tills[0]
        for number in range(MEMBERS):
            first.enrol(f"顾客{number}", str(13_000_000_000 + number))
        chain.drain()
        (made,) = chain.server.services.snapshots.make()
        till = opened(enrolled_till(chain))
        server = till.connect()
        reply = server.snapshot(SnapshotRequest(protocol=PROTOCOL, stream=Stream.MEMBERS))
        server.close()
        assert reply.snapshot is not None
        yield Place(chain, till, Served(reply.snapshot, made.file.read_bytes()))
        till.close()


def damaged(content: bytes, drawn: random.Random) -> bytes:
    """The bytes as a bad line, disk or proxy might leave them."""
    at = drawn.randrange(len(content))
    match drawn.randrange(6):
        case 0 | 1:
            return content[:at] + bytes([content[at] ^ 1 << drawn.randrange(8)]) + content[at + 1 :]
        case 2:
            return content[:at]
        case 3:
            return content + drawn.randbytes(drawn.randrange(1, 5000))
        case 4:
            end = min(len(content), at + drawn.randrange(1, 5000))
            other = drawn.randbytes(end - at)
            return content[:at] + other + content[end:]
        case _:
            return content[:at] + content[at + 1 :]


def test_no_damaged_byte_of_the_file_is_ever_taken(place: Place) -> None:
    drawn = random.Random(4041)
    for _ in range(TRIES):
        content = damaged(place.good.content, drawn)
        if content[: len(place.good.content)] == place.good.content:
            continue  # what follows the end is not asked for
        assert place.take(replace(place.good, content=content))
        place.assert_nothing_came()


def test_a_file_that_the_disk_damaged_before_the_next_start_is_not_taken(place: Place) -> None:
    drawn = random.Random(4042)
    file = place.till.store.folder.snapshot
    for _ in range(STAYS):
        assert place.taker._fetch(place.good, lambda: False)  # type: ignore[arg-type]  # in its place
        place.taker.close()
        file.write_bytes(damaged(file.read_bytes(), drawn))
        place.taker.resume()
        place.assert_nothing_came()


def begin_from_nothing(place: Place) -> None:
    """Forget what was taken over before the damage: a till that begins once more."""
    for table in ("members", "member_keys", "member_search", "held_rows", "held_scopes", "cursors"):
        place.till.books.change(
            lambda work, table=table: work.connection.exec_driver_sql(f"DELETE FROM {table}")  # type: ignore[misc]  # rows gone
        )


WRONG: dict[str, Callable[[Place], Signed]] = {
    "for another till": lambda place: sign_terms(
        place.services.vault.signing,
        place.terms,
        journal=place.chain.tills[0].till.identity.journal,
    ),
    "by another key": lambda place: sign_terms(
        new_signing_key(), place.terms, journal=place.journal
    ),
    "with another purpose": lambda place: msgspec.structs.replace(
        place.good.statement, purpose="bundle"
    ),
    "with a changed payload": lambda place: msgspec.structs.replace(
        place.good.statement,
        payload=place.good.statement.payload.replace(b'"rows":40', b'"rows":41'),
    ),
    "of another format": lambda place: place.signed(format=2),
    "of another version's rows": lambda place: place.signed(protocol=6),
    "of another stream": lambda place: place.signed(stream=Stream.CATALOGUE),
    "with another number of rows": lambda place: place.signed(rows=MEMBERS - 1),
    "with another length": lambda place: place.signed(size=place.terms.size - 1),
    "with another hash": lambda place: place.signed(sha256="0" * 64),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_statement_that_is_not_right_for_this_till_and_file_is_refused(
    place: Place, wrong: str
) -> None:
    assert place.take(replace(place.good, statement=WRONG[wrong](place)))
    place.assert_nothing_came()


def test_what_is_older_than_what_was_read_or_of_a_generation_that_ended_is_refused(
    place: Place,
) -> None:
    newer = encode_cursor(
        Cursor(Stream.MEMBERS, place.terms.generation, place.terms.server_seq + 1)
    )
    for is_over in (False, True):
        place.till.books.change(lambda work: write_cursor(work.connection, Stream.MEMBERS, newer))
        place.taker.forget(is_over=is_over)
        begin_from_nothing(place)
        place.taker.refused = None
        assert place.take(place.good)
        if is_over:
            place.assert_nothing_came("generation")
        else:
            # Files are up to a day old: nobody needs to hear of it.
            assert place.taker.refused is None
            assert holdings(place.till.store.folder)["members"] == []
    place.till.books.change(lambda work: drop_value(work.connection, READ_THROUGH))


def test_rows_that_are_not_what_the_server_counted_are_not_kept(place: Place) -> None:
    assert place.take(replace(place.good, statement=place.signed(checksum="0" * 16)))
    refused = place.taker.refused
    assert refused is not None
    assert refused.fields["reason"] == "checksum"
    # They stay in use until pages have come, and count for nothing.
    with place.till.books.reading() as connection:
        stale = connection.exec_driver_sql("SELECT COUNT(*), MIN(is_stale) FROM held_rows").one()
        assert tuple(stale) == (MEMBERS, 1)
    begin_from_nothing(place)


def test_a_server_without_one_or_without_the_route_is_pulled_page_by_page(place: Place) -> None:
    class Older(Served):
        def snapshot(self, _request: SnapshotRequest) -> SnapshotReply:
            raise RefusedError(404, ErrorReply(code="not-found", fields={}))

    class Gone(Served):
        def snapshot_part(self, _name: str, *, first: int, size: int) -> bytes:
            raise RefusedError(404, ErrorReply(code="snapshot-gone", fields={}))

    class Empty(Served):
        def snapshot(self, _request: SnapshotRequest) -> SnapshotReply:
            return SnapshotReply()

    place.taker.refused = None
    for kind in (Older, Gone, Empty):
        assert place.take(kind(place.good.statement, place.good.content))
        assert place.taker.refused is None
        assert holdings(place.till.store.folder)["members"] == []


def test_the_good_one_is_taken(place: Place) -> None:
    """So the refusals above are for the damage."""
    assert place.take(place.good)
    assert place.taker.refused is None
    assert len(holdings(place.till.store.folder)["members"]) == MEMBERS
    begin_from_nothing(place)


@pytest.mark.parametrize("language", list(Language))
def test_the_reason_is_said_in_words(language: Language) -> None:
    told = words(language).error(ProtocolError("bad-snapshot", reason="hash"))
    assert "bad-snapshot" not in told
    assert len(told) > 10
