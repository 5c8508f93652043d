"""An enrolled till without a server: its identity, goods, people and programme put in place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from argon2 import PasswordHasher

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store.bundles import put_bundle
from desktop.store.catalogue import apply_goods
from desktop.store.database import TillFolder
from desktop.store.identity import TillIdentity, store_key, write_identity
from desktop.store.journal import begin_epoch
from desktop.store.operators import apply_operators
from desktop.store.writer import Transaction
from shared.catalogue.goods import Goods, SoldBy
from shared.catalogue.search import search_keys
from shared.clock import ManualClock
from shared.ids import GoodsId, JournalId, OperatorId, StoreId, TillId, random_id
from shared.journal.certificate import Certificate, encode_certificate
from shared.journal.keys import new_signing_key, sign_statement
from shared.journal.server_key import certify_server_key
from shared.loyalty.bundle import bundle_ref, programme_bytes, template
from shared.loyalty.programme import Programme
from shared.protocol.message import GoodsRow, OperatorRow
from shared.trade.profile import KeyKind, lookup_hash

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Nine o'clock on the wall of a shop in Shanghai, a Monday."""
LOOKUP_KEY = b"k" * 32
FAST_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CASHIER_PIN = "1234"
MANAGER_PIN = "9876"

WATER = Goods(
    sku=GoodsId("W1"),
    name_zh="农夫山泉饮用天然水550ml",
    name_en="Nongfu Spring water 550 ml",
    tax_class="standard",
    list_price_minor=200,
    category="drinks/water",
    barcodes=("6921168509256",),
)
CHIPS = Goods(
    sku=GoodsId("C1"),
    name_zh="乐事原味薯片70g",
    name_en="Lay's potato chips 70 g",
    tax_class="standard",
    list_price_minor=750,
    category="snacks",
    barcodes=("6924743915763",),
)
RICE = Goods(
    sku=GoodsId("R1"),
    name_zh="五常大米5kg",
    name_en="Wuchang rice 5 kg",
    tax_class="reduced",
    list_price_minor=6990,
    category="food/rice",
    barcodes=("6901234567892",),
)
APPLES = Goods(
    sku=GoodsId("00012"),
    name_zh="红富士苹果",
    name_en="Fuji apples",
    tax_class="reduced",
    list_price_minor=1280,
    category="fruit",
    sold_by=SoldBy.WEIGHT,
)
GOODS = (WATER, CHIPS, RICE, APPLES)


@dataclass(frozen=True)
class Person:
    """Somebody who may work at the till."""

    name: str
    pin: str
    role: str
    operator_id: OperatorId
    card: str = ""


PEOPLE = (
    Person("王芳", CASHIER_PIN, "cashier", OperatorId("00000000-0000-4000-8000-0000000000c1")),
    Person("李强", MANAGER_PIN, "manager", OperatorId("00000000-0000-4000-8000-0000000000b2")),
)


def enrol_here(
    folder: TillFolder,
    *,
    goods: Sequence[Goods] = GOODS,
    people: Sequence[Person] = PEOPLE,
    programme: Programme | None = None,
    till_number: int = 1,
) -> OpenStore:
    """Open a folder and make a till of it, as an enrolment and a first pull would."""
    store = OpenStore(folder)
    root, server, key = new_signing_key(), new_signing_key(), new_signing_key()
    issued_at = MORNING.isoformat()
    certificate = Certificate(
        journal=JournalId(random_id()),
        epoch=1,
        shard=0,
        till_id=TillId(random_id()),
        store_id=StoreId(random_id()),
        till_number=till_number,
        hash_algorithm="sha-256",
        signature_algorithm="ed25519",
        public_key=str(key.public),
        key_id=key.id,
        issued_at=issued_at,
        forked_from=None,
    )
    assert certificate.till_id is not None
    assert certificate.store_id is not None
    identity = TillIdentity(
        journal=certificate.journal,
        till_id=certificate.till_id,
        till_number=till_number,
        till_name=f"{till_number}号机",
        store_id=certificate.store_id,
        store_name="人民路店",
        store_zone="Asia/Shanghai",
        lookup_key=LOOKUP_KEY,
        root_key=str(root.public),
        server_key=certify_server_key(root, server.public, issued_at=issued_at),
        server_url="http://127.0.0.1:9",
    )
    signed = sign_statement(
        server,
        purpose="certificate",
        audience=certificate.journal,
        payload=encode_certificate(certificate),
    )
    data = programme_bytes(programme or template("default"))

    def keep(transaction: Transaction) -> None:
        connection = transaction.connection
        begin_epoch(connection, journal=certificate.journal, epoch=1, signed=signed)
        write_identity(connection, identity)
        put_bundle(connection, bundle_ref(1, data), data)
        apply_goods(connection, map(_goods_row, goods))
        apply_operators(connection, map(_operator_row, people))

    store_key(folder, key)
    store.writer.run(keep)
    return store


def _goods_row(goods: Goods) -> GoodsRow:
    return GoodsRow(
        goods_id=goods.sku, document=msgspec.json.encode(goods), search_keys=search_keys(goods)
    )


def _operator_row(person: Person) -> OperatorRow:
    return OperatorRow(
        operator_id=person.operator_id,
        name=person.name,
        role=person.role,
        pin_hash=FAST_HASHER.hash(person.pin),
        card_hash=lookup_hash(LOOKUP_KEY, KeyKind.CARD, person.card) if person.card else "",
    )


@contextmanager
def open_till(
    path: Path,
    *,
    surroundings: Surroundings | None = None,
    goods: Sequence[Goods] = GOODS,
    people: Sequence[Person] = PEOPLE,
    programme: Programme | None = None,
    till_number: int = 1,
) -> Iterator[Till]:
    """An enrolled till in a folder, not started: nothing runs in the background."""
    around = surroundings or Surroundings()
    if not isinstance(around.clock, ManualClock):
        around = replace(around, clock=ManualClock(MORNING))
    store = enrol_here(
        TillFolder(path), goods=goods, people=people, programme=programme, till_number=till_number
    )
    till = Till(store, around)
    try:
        yield till
    finally:
        till.close()
