"""An enrolled till in a folder, made without any server: keys, certificate, programme, goods."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
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
from shared.ids import GoodsId, JournalId, OperatorId, StoreId, TillId
from shared.journal.certificate import (
    HASH_ALGORITHM,
    SIGNATURE_ALGORITHM,
    Certificate,
    encode_certificate,
)
from shared.journal.keys import SigningKey, sign_statement
from shared.journal.server_key import certify_server_key
from shared.loyalty.bundle import bundle_ref, programme_bytes, template
from shared.loyalty.programme import Programme
from shared.protocol.message import GoodsRow, OperatorRow
from shared.trade.profile import KeyKind, lookup_hash
from tests.support.scratch import scratch_folder

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""09:00 in Shanghai, a Monday."""
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CASHIER = OperatorId("cashier-1")
MANAGER = OperatorId("manager-1")
PINS = {CASHIER: "1234", MANAGER: "9876"}
LOOKUP_KEY = b"l" * 32
JOURNAL = JournalId("0b0c0d0e-0000-4000-8000-00000000000a")
ISSUED = "2026-03-01T00:00:00.000+00:00"

WATER = Goods(
    sku=GoodsId("A1"),
    name_zh="怡宝饮用纯净水555ml",
    name_en="C'estbon Purified Water 555 ml",
    tax_class="standard",
    list_price_minor=200,
    category="drinks/water",
    barcodes=("6901285991219",),
)
BISCUITS = Goods(
    sku=GoodsId("B1"),
    name_zh="mini奥利奥55g",
    name_en="Mini Oreo 55 g",
    tax_class="standard",
    list_price_minor=1250,
    category="snacks",
    barcodes=("6901668054715",),
)
APPLES = Goods(
    sku=GoodsId("20001"),
    name_zh="红富士苹果",
    name_en="Fuji Apples",
    tax_class="reduced",
    list_price_minor=1298,
    category="fruit",
    sold_by=SoldBy.WEIGHT,
    barcodes=("20001",),
)
GOODS = (WATER, BISCUITS, APPLES)


@dataclass(frozen=True)
class Chain:
    """Whoever enrols tills in a test: a root and a server key."""

    root: SigningKey = field(default_factory=lambda: SigningKey(b"r" * 32))
    server: SigningKey = field(default_factory=lambda: SigningKey(b"s" * 32))
    lookup_key: bytes = LOOKUP_KEY


@dataclass(frozen=True)
class Person:
    """Somebody who may work at the till."""

    name: str
    pin: str
    role: str
    operator_id: OperatorId
    card: str = ""


PEOPLE = (
    Person("王芳", PINS[CASHIER], "cashier", CASHIER),
    Person("李强", PINS[MANAGER], "manager", MANAGER),
)


def enrol_locally(
    path: Path,
    *,
    programme: Programme | None = None,
    goods: Sequence[Goods] = GOODS,
    people: Sequence[Person] = PEOPLE,
    number: int = 1,
    journal: JournalId = JOURNAL,
    chain: Chain | None = None,
    server_url: str = "http://127.0.0.1:9",
) -> TillFolder:
    """Make a till's folder as enrolment and a first pull leave it.

    Each kind is made once in a process, and copied.
    """
    chain = chain or Chain()
    made = _made(
        programme_bytes(programme or template("default")),
        tuple(goods),
        tuple(people),
        number,
        journal,
        server_url,
        chain.root.raw,
        chain.server.raw,
        chain.lookup_key,
    )
    shutil.copytree(made, path, dirs_exist_ok=True)
    return TillFolder(path)


@cache
def _made(
    document: bytes,
    goods: Sequence[Goods],
    people: Sequence[Person],
    number: int,
    journal: JournalId,
    server_url: str,
    root: bytes,
    server: bytes,
    lookup_key: bytes,
) -> Path:
    chain = Chain(SigningKey(root), SigningKey(server), lookup_key)
    folder = TillFolder(scratch_folder() / "till")
    key = SigningKey(number.to_bytes(32, "big"))
    certificate = encode_certificate(
        Certificate(
            journal=journal,
            epoch=1,
            shard=0,
            till_id=TillId(f"till-{number}"),
            store_id=StoreId("store-1"),
            till_number=number,
            hash_algorithm=HASH_ALGORITHM,
            signature_algorithm=SIGNATURE_ALGORITHM,
            public_key=str(key.public),
            key_id=key.id,
            issued_at=ISSUED,
            forked_from=None,
        )
    )
    signed = sign_statement(
        chain.server, purpose="certificate", audience=journal, payload=certificate
    )
    identity = TillIdentity(
        journal=journal,
        till_id=TillId(f"till-{number}"),
        till_number=number,
        till_name=f"Till {number}",
        store_id=StoreId("store-1"),
        store_name="人民路店",
        store_zone="Asia/Shanghai",
        lookup_key=chain.lookup_key,
        root_key=str(chain.root.public),
        server_key=certify_server_key(chain.root, chain.server.public, issued_at=ISSUED),
        server_url=server_url,
    )

    def fill(transaction: Transaction) -> None:
        connection = transaction.connection
        begin_epoch(connection, journal=journal, epoch=1, signed=signed)
        write_identity(connection, identity)
        put_bundle(connection, bundle_ref(1, document), document)
        apply_goods(connection, [goods_row(item) for item in goods])
        apply_operators(connection, [operator_row(person) for person in people])

    with OpenStore(folder) as store:
        store_key(folder, key)
        store.writer.run(fill)
    return folder.path


def goods_row(goods: Goods) -> GoodsRow:
    """An article as the server sends it."""
    return GoodsRow(
        goods_id=goods.sku, document=msgspec.json.encode(goods), search_keys=search_keys(goods)
    )


def operator_row(person: Person) -> OperatorRow:
    """An operator with a PIN that is quick to check."""
    return OperatorRow(
        operator_id=person.operator_id,
        name=person.name,
        role=person.role,
        pin_hash=HASHER.hash(person.pin),
        card_hash=lookup_hash(LOOKUP_KEY, KeyKind.CARD, person.card) if person.card else "",
    )


def open_till(folder: TillFolder, surroundings: Surroundings | None = None) -> Till:
    """Open an enrolled folder; close it with ``till.close()``."""
    return Till(OpenStore(folder), surroundings)
