"""New keys on both databases: a till's next epoch, and the server's own keys."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.clock import ManualClock
from shared.errors import ProtocolError
from shared.journal.certificate import decode_certificate, rekey_message
from shared.journal.keys import SigningKey, new_signing_key
from shared.protocol.message import PROTOCOL, RekeyReply, RekeyRequest
from sync_server.bootstrap import KEYS_FOLDER, open_own_epoch
from sync_server.journal.audit import audit
from sync_server.keys.changing import KeyChange
from sync_server.keys.statement_list import LIST_FILE, StatementList
from tests.support.servers import Server
from tests.support.till_writer import TillWriter


def rekey_request(till: TillWriter, key: SigningKey) -> RekeyRequest:
    message = rekey_message(
        journal=till.journal,
        epoch=till.certificate.epoch,
        old_key_id=till.key.id,
        public_key=str(key.public),
    )
    return RekeyRequest(
        protocol=PROTOCOL,
        public_key=str(key.public),
        old_signature=till.key.sign(message),
        new_signature=key.sign(message),
    )


def is_whole(server: Server) -> bool:
    with server.services.database.reading() as snapshot:
        return audit(snapshot).flaws == []


def test_of_many_new_keys_at_once_one_is_taken(server: Server) -> None:
    till = server.enrol_till()
    desk = server.services.rekeying
    requests = [rekey_request(till, new_signing_key()) for _ in range(4)]

    def ask(request: RekeyRequest) -> RekeyReply | ProtocolError:
        try:
            return desk.rekey(till.certificate, request)
        except ProtocolError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, requests * 2))
    given = [one for one in answers if isinstance(one, RekeyReply)]
    refused = [one for one in answers if isinstance(one, ProtocolError)]
    assert len(given) == 2
    assert given[0] == given[1]
    assert {one.code for one in refused} == {"replaced-key"}
    begun = decode_certificate(given[0].certificate.payload)
    assert (begun.journal, begun.epoch) == (till.journal, till.certificate.epoch + 1)
    assert is_whole(server)


def test_the_servers_keys_change_and_all_that_was_signed_stays_good(
    server: Server, clock: ManualClock
) -> None:
    till = server.enrol_till()
    services = server.services
    change = KeyChange(
        services.database,
        clock,
        services.own,
        services.vault,
        server.folder / KEYS_FOLDER,
        open_own_epoch,
        StatementList(server.folder / LIST_FILE),
    )
    clock.advance(seconds=1)
    change.new_signing_key()
    clock.advance(seconds=1)
    change.new_root()
    assert [one.purpose for one in change.states() if one.is_in_force] == ["signing", "root"]
    assert services.keys.author_of(till.reply.certificate).id == services.vault.signing.id
    assert is_whole(server)
    with pytest.raises(ProtocolError) as refused:
        services.keys.key_for(till.reply.server_key)
    assert refused.value.code == "wrong-statement"
