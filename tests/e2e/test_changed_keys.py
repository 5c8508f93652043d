"""Keys that change: a till's own, the server's signing key, the root that tills pinned."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from desktop.store.journal import all_epochs
from desktop.store.verification import verify_till
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.rekeying import KeyChange
from shared.errors import DomainError, EnvironmentFault, ProtocolError
from shared.journal.certificate import decode_certificate, rekey_message
from shared.journal.keys import KeyId, SigningKey, new_signing_key, sign_statement
from shared.journal.server_key import certify_server_key, change_root
from shared.loyalty.bundle import template
from shared.loyalty.document import Names
from shared.protocol.message import KeysReply, PullRequest, RekeyRequest, Stream
from sync_server.bootstrap import KEYS_FOLDER, open_key_change
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.keys.known import trusted_keys
from sync_server.keys.vault import next_of
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere
from tests.support.new_till import enrolled_till, opened

BISCUIT = BISCUITS.barcodes[0]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, tills=2, sealed={1}) as made:
        yield made


def change_key(till: TillHere) -> None:
    """The till asks for a new key with its next sync."""
    till.till.key_change.ask()


def agrees(chain: LittleChain) -> None:
    """Every chain, signature and certificate is whole on both sides."""
    chain.drain()
    with chain.server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
    for till in chain.tills:
        assert verify_till(till.folder).flaws == []


def current_key(till: TillHere) -> KeyId:
    return till.till._key.id


def rekeyed(chain: LittleChain) -> list[dict[str, Any]]:
    """The server's facts about changed keys."""
    with chain.server.services.database.reading() as snapshot:
        found = snapshot.connection.execute(
            select(schema.entries.c.bytes).where(schema.entries.c.kind == "till_rekeyed")
        ).scalars()
        return [msgspec.json.decode(one)["body"] for one in found]


def test_a_till_changes_its_key_while_it_sells(chain: LittleChain) -> None:
    till, other = chain.tills
    member = till.enrol("韩梅梅", "13900139000")
    till.sell(BISCUIT, member=member)
    before = current_key(till)
    change_key(till)
    assert till.sync()

    assert current_key(till) != before
    till.sell(BISCUIT, member=member)
    till.restart()
    till.sell(BISCUIT, member=member)
    agrees(chain)
    with till.till.store.reading.connect() as connection:
        epochs = all_epochs(connection)
    assert [one.unsent for one in epochs] == [0, 0]
    (fact,) = rekeyed(chain)
    assert (fact["old_key_id"], fact["key_id"]) == (before, current_key(till))
    shown = [one.member(member.member_id) for one in (till, other)]
    assert shown[0] is not None
    assert shown[0] == shown[1]
    assert shown[0].points > 0
    chain.close()
    assert chain.reckon().differences == []


def signed_by(till: TillHere, key: SigningKey) -> ServerConnection:
    return ServerConnection(till.till.identity.server_url, key)


def test_the_old_key_reads_nothing_more_and_what_it_signed_counts(chain: LittleChain) -> None:
    (till, _other) = chain.tills
    old = till.till._key
    change_key(till)
    # Sold after the last push: the old epoch's tail is sent after the change.
    till.sell(BISCUIT)
    assert till.sync()
    agrees(chain)

    stolen = signed_by(till, old)
    with pytest.raises(RefusedError) as refused:
        stolen.pull(PullRequest(protocol=8, stream=Stream.OPERATORS, cursor=None))
    assert refused.value.code == "replaced-key"
    stolen.close()


def test_a_lost_answer_and_a_power_cut_change_the_key_once(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, _other) = chain.tills
    real = ServerConnection.rekey
    asked: list[str] = []

    def lost(connection: ServerConnection, request: RekeyRequest) -> Any:
        asked.append(request.public_key)
        reply = real(connection, request)
        if len(asked) == 1:
            raise EnvironmentFault("server-unreachable", url="lost")
        return reply

    monkeypatch.setattr(ServerConnection, "rekey", lost)
    change_key(till)
    assert not till.sync()
    # It goes on selling under the old key, which still signs what it sold.
    till.sell(BISCUIT)

    def cut(_change: KeyChange, _key: SigningKey) -> bool:
        raise EnvironmentFault("disk-error", reason="power")

    with monkeypatch.context() as power:
        power.setattr(KeyChange, "_taken", cut)
        assert not till.sync()
    till.restart()
    till.sell(BISCUIT)
    assert till.sync()
    assert len(asked) == 2
    assert asked[0] == asked[1]
    assert len(rekeyed(chain)) == 1
    assert not till.till.key_change.is_wanted
    agrees(chain)


def test_of_two_copies_one_changes_the_key_and_the_other_is_told(
    chain: LittleChain, tmp_path: Path
) -> None:
    (till, _other) = chain.tills
    old = till.till._key
    change_key(till)
    assert till.sync()

    # The copy asks with a key of its own, signed by the key that both had.
    copy = signed_by(till, old)
    with till.till.store.reading.connect() as connection:
        first = all_epochs(connection)[0]
    certificate = decode_certificate(first.certificate.payload)
    thief = new_signing_key()
    message = rekey_message(
        journal=certificate.journal,
        epoch=certificate.epoch,
        old_key_id=old.id,
        public_key=str(thief.public),
    )
    request = RekeyRequest(
        protocol=8,
        public_key=str(thief.public),
        old_signature=old.sign(message),
        new_signature=thief.sign(message),
    )
    with pytest.raises(RefusedError) as refused:
        copy.rekey(request)
    assert refused.value.code == "replaced-key"
    # Nor does anybody's own key help who has not got the new one.
    forged = msgspec.structs.replace(request, new_signature=old.sign(message))
    with pytest.raises(RefusedError) as refused:
        copy.rekey(forged)
    assert refused.value.code == "bad-signature"
    copy.close()
    assert len(rekeyed(chain)) == 1


def test_a_revoked_till_gets_no_new_key_and_goes_on_sending(chain: LittleChain) -> None:
    (till, _other) = chain.tills
    before = current_key(till)
    chain.server.services.commands.revoke(till.till.identity.till_id)
    till.sell(BISCUIT)
    change_key(till)
    till.sync()
    assert current_key(till) == before
    assert not till.till.key_change.is_wanted
    assert till.till.key_change.refused is not None
    assert till.till.key_change.refused.code == "revoked-key"
    assert till.till.unsent() == 0


def change_server(chain: LittleChain, *steps: str) -> list[KeyId]:
    """Stop the server, change its keys, start it again; which keys it has now."""
    chain.server.stop()
    for step in steps:
        chain.clock.advance(seconds=1)
        with open_key_change(chain.server.folder, clock=chain.clock) as change:
            if step == "signing":
                change.new_signing_key()
            elif step == "root":
                change.new_root()
            else:
                former = [one for one in change.states() if one.purpose == "signing"]
                for one in former[:-1]:
                    if not one.is_revoked:
                        change.revoke(one.key_id)
            states = change.states()
    chain.server.start()
    return [one.key_id for one in states if one.is_in_force]


def publish(chain: LittleChain, name: str) -> None:
    programme = msgspec.structs.replace(template("default"), names=Names(en=name, zh=name))
    chain.server.services.programme.publish(msgspec.json.encode(programme, order="sorted"))


def test_tills_follow_the_servers_keys(chain: LittleChain) -> None:
    (till, other) = chain.tills
    member = till.enrol("李雷", "13800138000")
    till.sell(BISCUIT, member=member)
    chain.drain()
    # One is away throughout.
    chain.plugs[1].pull()
    other.sell(BISCUIT)
    change_server(chain, "root", "signing", "revoke", "root")
    publish(chain, "after")

    # What was enrolled under old keys is still believed, by both sides.
    till.sell(BISCUIT, member=member)
    agrees(chain)
    for one in chain.tills:
        assert one.till.pricing().programme.names.en == "after"
        one.restart()
        assert one.sync()
    with chain.server.services.database.reading() as snapshot:
        root = trusted_keys(snapshot).root.id
    for one in chain.tills:
        assert one.till.trust._trusted.root.id == root

    # A new till pins the root of today, and reads programmes that older keys signed.
    new = enrolled_till(chain)
    first = opened(new)
    assert first.sync.try_once() > 0
    assert not first.is_offline()
    first.close()
    # A till's own key changes under the new server key as before.
    change_key(till)
    assert till.sync()
    agrees(chain)


def test_a_signing_key_that_was_taken_back_is_believed_no_more(chain: LittleChain) -> None:
    (till, _other) = chain.tills
    stolen = chain.server.services.vault.signing
    change_server(chain, "signing", "revoke")
    agrees(chain)
    statement = sign_statement(stolen, purpose="lease", audience="x", payload=b"{}")
    with pytest.raises(ProtocolError) as refused:
        till.till.trust.key_for(statement)
    assert refused.value.code == "revoked-server-key"
    with pytest.raises(ProtocolError) as refused:
        chain.server.services.keys.key_for(statement)
    assert refused.value.code == "revoked-server-key"


def test_nobody_else_changes_what_a_till_believes(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, _other) = chain.tills
    stranger, key = new_signing_key(), new_signing_key()
    old_root = SigningKey((chain.server.folder / KEYS_FOLDER / "root.key").read_bytes())
    change_server(chain, "root")
    agrees(chain)
    root = till.till.trust._trusted.root.id
    lies = (
        change_root(stranger, key.public, issued_at="2030"),
        certify_server_key(stranger, key.public, issued_at="2030"),
        # The root of yesterday may be stolen: it speaks no more to whoever knows today's.
        change_root(old_root, key.public, issued_at="2030"),
        certify_server_key(old_root, key.public, issued_at="2030"),
    )
    monkeypatch.setattr(
        ServerConnection, "keys", lambda _self: KeysReply(statements=lies).statements
    )
    till.till.trust.learn()
    assert till.till.trust._trusted.root.id == root
    statement = sign_statement(key, purpose="bundle", audience="all", payload=b"{}")
    with pytest.raises(ProtocolError) as refused:
        till.till.trust.key_for(statement)
    assert refused.value.code == "wrong-statement"


def test_a_change_that_was_cut_off_ends_with_the_next_start(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.server.stop()
    chain.clock.advance(seconds=1)

    def cut(_file: Path) -> None:
        raise EnvironmentFault("disk-error", reason="power")

    file = chain.server.folder / KEYS_FOLDER / "signing.key"
    with open_key_change(chain.server.folder, clock=chain.clock) as change:
        # Before the database knows of it: nothing has changed.
        with monkeypatch.context() as power:
            power.setattr("sync_server.keys.changing.add_key", cut)
            with pytest.raises((EnvironmentFault, TypeError)):
                change.new_signing_key()
        assert next_of(file).exists()
    chain.server.start()
    assert chain.tills[0].sync()
    chain.server.stop()
    before = file.read_bytes()
    # After it: the next start puts the key in place.
    with (
        open_key_change(chain.server.folder, clock=chain.clock) as change,
        monkeypatch.context() as power,
    ):
        power.setattr("sync_server.keys.changing.put_in_place", cut)
        with pytest.raises(EnvironmentFault):
            change.new_signing_key()
    assert file.read_bytes() == before
    chain.server.start()
    assert file.read_bytes() != before
    chain.tills[0].sell(BISCUIT)
    agrees(chain)


def test_who_has_no_root_changes_no_keys(chain: LittleChain, tmp_path: Path) -> None:
    chain.server.stop()
    file = chain.server.folder / KEYS_FOLDER / "root.key"
    chain.clock.advance(seconds=1)
    with open_key_change(chain.server.folder, clock=chain.clock) as change:
        with pytest.raises(DomainError) as refused:
            change.new_signing_key(root=new_signing_key())
        assert refused.value.code == "root-key-foreign"
        with pytest.raises(DomainError) as refused:
            change.revoke(chain.server.services.vault.signing.id)
        assert refused.value.code == "signing-key-in-force"
        with pytest.raises(DomainError) as refused:
            change.revoke(new_signing_key().id)
        assert refused.value.code == "unknown-server-key-id"
        file.rename(tmp_path / "stick.key")
        with pytest.raises(EnvironmentFault) as fault:
            change.new_root()
        assert fault.value.code == "key-missing"
        change.new_signing_key(root=SigningKey((tmp_path / "stick.key").read_bytes()))
    chain.server.start()
    agrees(chain)
