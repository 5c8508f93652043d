"""Setting up a server from one document: stores with tills, operators, programme, goods, users."""

from typing import TypedDict

import msgspec

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from sync_server.bootstrap import Services
from sync_server.operators.desk import Role


class SeedTill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A till to add and give a code."""

    name: str


class SeedStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A store to add with its tills."""

    name: str
    tills: tuple[SeedTill, ...]
    zone: str = "Asia/Shanghai"


class SeedOperator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operator to add."""

    name: str
    pin: str
    role: Role = Role.CASHIER


class SeedUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who may sign in at head office."""

    login: str
    password: str


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a server starts with."""

    stores: tuple[SeedStore, ...] = ()
    operators: tuple[SeedOperator, ...] = ()
    users: tuple[SeedUser, ...] = ()
    programme: msgspec.Raw = msgspec.Raw()
    """The programme document itself; its bytes are published as they stand here."""
    goods: tuple[Goods, ...] = ()


class SownTill(TypedDict):
    """A till that was added."""

    till_id: str
    name: str
    number: int
    code: str


class SownStore(TypedDict):
    """A store that was added."""

    store_id: str
    name: str
    tills: list[SownTill]


class SownOperator(TypedDict):
    """An operator who was added."""

    operator_id: str
    name: str
    role: str


class Sown(TypedDict):
    """What the document became."""

    stores: list[SownStore]
    operators: list[SownOperator]
    programme_version: int | None
    goods: int


def read_seed(document: bytes) -> Seed:
    """Read a seed document (JSON); DomainError ``seed-unreadable``."""
    try:
        return msgspec.json.decode(document, type=Seed)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DomainError("seed-unreadable", reason=str(error)) from error


def sow(services: Services, seed: Seed) -> Sown:
    """Add everything the document names; raises the DomainErrors of each part."""
    for user in seed.users:
        services.users.add(user.login, user.password)
    document = bytes(seed.programme)
    published = services.programme.publish(document) if document else None
    return Sown(
        stores=[_sow_store(services, store) for store in seed.stores],
        operators=[_sow_operator(services, operator) for operator in seed.operators],
        programme_version=published.version if published else None,
        goods=services.catalogue.put(seed.goods),
    )


def _sow_store(services: Services, store: SeedStore) -> SownStore:
    added = services.stores.add_store(store.name, store.zone)
    tills: list[SownTill] = []
    for each in store.tills:
        till = services.stores.add_till(added.store_id, each.name)
        code = services.enrolment.issue_code(till.till_id)
        tills.append(SownTill(till_id=till.till_id, name=till.name, number=till.number, code=code))
    return SownStore(store_id=added.store_id, name=added.name, tills=tills)


def _sow_operator(services: Services, operator: SeedOperator) -> SownOperator:
    added = services.operators.add(operator.name, pin=operator.pin, role=operator.role)
    return SownOperator(operator_id=added.operator_id, name=added.name, role=added.role.value)
