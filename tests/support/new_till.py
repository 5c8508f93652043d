"""A till that joins a running little chain, and what it holds of members."""

from typing import Any

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.reckoning.file import reading
from desktop.shop.network_plug import NetworkPlug
from desktop.store.database import TillFolder
from desktop.store.sealing import unlock
from tests.support.little_chain import LittleChain, TillHere

COMPARED = {
    "members": "member_id, name, phone_tail, card_tail, tier, birthday, segments, alias_of,"
    " language, changed_hlc, consents",
    "member_keys": "key, member_id",
    "member_search": "key, member_id",
    "pulled_balances": "owner, account, lot, unit, amount",
    "balances": "owner, account, lot, unit, amount",
    "lots": "member_id, lot, earned_on, expires_on",
    "held_rows": "stream, row_key, hash, is_stale",
    "held_scopes": "stream, row_count, checksum, is_mismatched",
}


def enrolled_till(
    chain: LittleChain, *, store_id: str | None = None, seals: bool = True
) -> TillHere:
    """A till of a new store, or of one that is there; enrolled, nothing pulled."""
    services = chain.server.services
    number = len(chain.tills) + 1
    store = store_id or services.stores.add_store(f"New {number}", "Asia/Shanghai").store_id
    till = services.stores.add_till(store, f"Till {number}")  # type: ignore[arg-type]  # an id
    plug = NetworkPlug(chain.server.url)
    chain.plugs.append(plug)
    folder = TillFolder(chain.folder / f"till-{number}")
    with OpenStore(folder, seals=seals) as opened:
        opened.enrol(url=plug.url, code=services.enrolment.issue_code(till.till_id))
    return TillHere(folder, chain.clock, chain.operator_id)


def opened(here: TillHere) -> Till:
    """The till's services, before there is a programme to sell by."""
    store = OpenStore(here.folder, make_writer=here.make_writer)
    return Till(store, Surroundings(clock=here.clock))


def holdings(folder: TillFolder) -> dict[str, list[tuple[Any, ...]]]:
    """All that a till has of members, in order."""
    key = unlock(folder).key
    with reading(folder.database, key.database if key is not None else "") as connection:
        return {
            table: sorted(
                (tuple(row) for row in connection.execute(f"SELECT {columns} FROM {table}")),
                key=repr,
            )
            for table, columns in COMPARED.items()
        }
