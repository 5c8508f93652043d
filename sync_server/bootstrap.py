"""The one place where the server's parts are put together."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from argon2 import PasswordHasher
from sqlalchemy import func, select

from shared.clock import Clock, HybridClock, HybridTime, SystemClock
from shared.errors import EnvironmentFault
from shared.ids import JournalId, random_id
from shared.journal.certificate import (
    HASH_ALGORITHM,
    SIGNATURE_ALGORITHM,
    Certificate,
    encode_certificate,
)
from shared.journal.keys import SigningKey, new_signing_key, sign_statement
from shared.journal.server_key import certify_server_key
from sync_server.backup.copying import Copier
from sync_server.catalogue.goods import CatalogueDesk
from sync_server.database import schema
from sync_server.database.migrate import check_current, is_current, migrate
from sync_server.database.postgresql_settings import postgresql_engine
from sync_server.database.process_lock import ProcessLock
from sync_server.database.sqlite_library import sqlite_engine
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.draws.desk import DrawDesk
from sync_server.enrolment.desk import EnrolmentDesk
from sync_server.enrolment.rekeying import RekeyDesk
from sync_server.journal.chains import add_epoch
from sync_server.journal.own import OwnJournal
from sync_server.keys.changing import KeyChange, settle_keys
from sync_server.keys.known import KnownKeys
from sync_server.keys.nonce import Nonces
from sync_server.keys.statement_list import LIST_FILE as STATEMENTS_FILE
from sync_server.keys.statement_list import StatementList
from sync_server.keys.throttle import Throttle
from sync_server.keys.vault import Vault, create_vault, open_vault, read_secrets
from sync_server.leases.desk import LeaseDesk
from sync_server.ledger.audit_job import AuditJob
from sync_server.ledger.benefit_audit import BenefitJudge
from sync_server.ledger.card_audit import CardJudge
from sync_server.ledger.price_audit import SaleJudge
from sync_server.ledger.return_audit import ReturnJudge
from sync_server.members.erasure import Erasure
from sync_server.members.erasure_list import LIST_FILE, ErasureList
from sync_server.members.merging import Merging
from sync_server.members.profile_desk import ProfileDesk
from sync_server.members.region_desk import RegionDesk
from sync_server.members.segments import Segments
from sync_server.members.tiers import TierDesk
from sync_server.operators.desk import OperatorDesk
from sync_server.orders.desk import CommandDesk
from sync_server.orders.log_file import LOG_FILE, CommandLog
from sync_server.partners.desk import PartnerDesk
from sync_server.points.recovery import Recovery
from sync_server.programme.publishing import ProgrammeDesk
from sync_server.stores.registry import StoreRegistry
from sync_server.sync.callers import Callers
from sync_server.sync.grouping import Groups
from sync_server.sync.ingest import Ingest
from sync_server.sync.lookup import Lookup
from sync_server.sync.news import News
from sync_server.sync.pull import Pull
from sync_server.sync.quarantine import Quarantine
from sync_server.sync.scopes import count_scopes, keep_scopes
from sync_server.sync.snapshots import FOLDER as SNAPSHOTS_FOLDER
from sync_server.sync.snapshots import SnapshotDesk
from sync_server.web.sessions import Sessions
from sync_server.web.users import UserDesk

DATABASE_FILE: Final = "evertill.db"
URL_FILE: Final = "database.url"
KEYS_FOLDER: Final = "keys"
GENERATION_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the server can do, on one database."""

    database: Database
    clock: Clock
    vault: Vault
    keys: KnownKeys
    own: OwnJournal
    nonces: Nonces
    callers: Callers
    ingest: Ingest
    pull: Pull
    snapshots: SnapshotDesk
    lookup: Lookup
    leases: LeaseDesk
    enrolment: EnrolmentDesk
    rekeying: RekeyDesk
    stores: StoreRegistry
    operators: OperatorDesk
    catalogue: CatalogueDesk
    programme: ProgrammeDesk
    users: UserDesk
    sessions: Sessions
    erasure: Erasure
    throttle: Throttle
    audit: AuditJob
    returns_audit: AuditJob
    benefits_audit: AuditJob
    cards_audit: AuditJob
    segments: Segments
    regions: RegionDesk
    merging: Merging
    tiers: TierDesk
    profiles: ProfileDesk
    quarantine: Quarantine
    commands: CommandDesk
    news: News
    draws: DrawDesk
    partners: PartnerDesk


def initialise(folder: Path, *, url: str | None = None, clock: Clock | None = None) -> None:
    """Make the keys, the schema and the server's own journal.

    ``url`` names a PostgreSQL database (``postgresql+psycopg://``); without it a SQLite file lies
    in the folder. Raises EnvironmentFault ``keys-exist`` where a server was made before.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = new_signing_key()
    vault = create_vault(folder / KEYS_FOLDER, root)
    if url is not None:
        (folder / URL_FILE).touch(mode=0o600)
        (folder / URL_FILE).write_text(url, encoding="utf-8")
    with open_database(folder) as database:
        migrate(database)
        with database.writing() as work:
            _first_rows(work, vault, root, format_time((clock or SystemClock()).now()))
        count_scopes(database)


@contextmanager
def open_services(
    folder: Path, *, clock: Clock | None = None, hasher: PasswordHasher | None = None
) -> Iterator[Services]:
    """Open a data folder that ``initialise`` made.

    Raises EnvironmentFault ``not-initialised``, ``database-in-use``, ``schema-newer`` and those of
    the keys.
    """
    if not (folder / KEYS_FOLDER).is_dir():
        raise EnvironmentFault("not-initialised", folder=str(folder))
    with open_database(folder) as database:
        vault = open_vault(folder / KEYS_FOLDER)
        migrate(database)
        if not is_current(database):
            raise EnvironmentFault("not-initialised", folder=str(folder))
        vault = _settled(database, folder)
        count_scopes(database)
        services = assemble(
            database,
            vault,
            clock or SystemClock(),
            hasher or PasswordHasher(),
            ErasureList(folder / LIST_FILE),
            CommandLog(folder / LOG_FILE),
            folder / SNAPSHOTS_FOLDER,
        )
        services.quarantine.retry()
        try:
            yield services
        finally:
            services.snapshots.close()
            services.news.close()


@contextmanager
def open_key_change(folder: Path, *, clock: Clock | None = None) -> Iterator[KeyChange]:
    """What changes the keys of a server that is not running. Raises as ``open_services`` does."""
    with open_services(folder, clock=clock) as services:
        yield KeyChange(
            services.database,
            services.clock,
            services.own,
            services.vault,
            folder / KEYS_FOLDER,
            open_own_epoch,
            StatementList(folder / STATEMENTS_FILE),
        )


def _settled(database: Database, folder: Path) -> Vault:
    keys = folder / KEYS_FOLDER
    with database.reading() as snapshot:
        vault = settle_keys(snapshot, keys, lambda: open_vault(keys))
        # Before any till can learn of them: of a change that was cut off, too.
        StatementList(folder / STATEMENTS_FILE).bring_up_to(snapshot)
        return vault


@contextmanager
def open_snapshot_desk(folder: Path, *, clock: Clock | None = None) -> Iterator[SnapshotDesk]:
    """What makes snapshots of a server, whether it is running or not.

    Raises EnvironmentFault ``not-initialised``, ``schema-newer``, ``schema-older``.
    """
    if not (folder / KEYS_FOLDER).is_dir():
        raise EnvironmentFault("not-initialised", folder=str(folder))
    with open_database(folder, is_shared=True) as database:
        check_current(database)
        yield SnapshotDesk(
            database,
            clock or SystemClock(),
            open_vault(folder / KEYS_FOLDER),
            folder / SNAPSHOTS_FOLDER,
        )


@contextmanager
def open_copier(folder: Path, *, clock: Clock | None = None) -> Iterator[Copier]:
    """What makes copies of a server, whether it is running or not.

    Raises EnvironmentFault ``not-initialised``, ``schema-newer``, ``schema-older`` and those of the
    keys.
    """
    if not (folder / KEYS_FOLDER).is_dir():
        raise EnvironmentFault("not-initialised", folder=str(folder))
    secrets_kept = read_secrets(folder / KEYS_FOLDER)
    with open_database(folder, is_shared=True) as database:
        check_current(database)
        yield Copier(
            database=database,
            clock=clock or SystemClock(),
            secrets=secrets_kept,
            erasures=ErasureList(folder / LIST_FILE),
            commands=CommandLog(folder / LOG_FILE),
            statements=StatementList(folder / STATEMENTS_FILE),
        )


def assemble(
    database: Database,
    vault: Vault,
    clock: Clock,
    hasher: PasswordHasher,
    erasures: ErasureList,
    command_log: CommandLog,
    snapshots_folder: Path,
) -> Services:
    """Put the parts together on an open database."""
    with database.reading() as snapshot:
        own = own_journal(snapshot, vault, clock)
    keys = KnownKeys(database)
    nonces = Nonces(clock, vault)
    throttle = Throttle(database, clock)
    users = UserDesk(database, clock, hasher)
    recovery = Recovery(clock, own)
    merging = Merging(database, own, recovery)
    snapshots = SnapshotDesk(database, clock, vault, snapshots_folder)
    commands = CommandDesk(database, clock, own, vault, keys, command_log)
    return Services(
        database=database,
        clock=clock,
        vault=vault,
        keys=keys,
        own=own,
        nonces=nonces,
        callers=Callers(database, nonces),
        ingest=Ingest(
            database,
            clock,
            own,
            vault,
            keys,
            merging,
            recovery,
            Groups(database),
            commands.adopted,
        ),
        pull=Pull(database, clock, own),
        snapshots=snapshots,
        lookup=Lookup(database, clock),
        leases=LeaseDesk(database, clock, own, vault, keys),
        enrolment=EnrolmentDesk(database, clock, own, vault),
        rekeying=RekeyDesk(database, clock, own, vault, commands.follow),
        stores=StoreRegistry(database, clock),
        operators=OperatorDesk(database, own, hasher),
        catalogue=CatalogueDesk(database, clock),
        programme=ProgrammeDesk(database, clock, own, vault, keys),
        users=users,
        sessions=Sessions(clock, vault, users),
        erasure=Erasure(database, clock, own, erasures, snapshots.drop_all),
        throttle=throttle,
        audit=AuditJob(database, own, SaleJudge()),
        returns_audit=AuditJob(database, own, ReturnJudge()),
        benefits_audit=AuditJob(database, own, BenefitJudge()),
        cards_audit=AuditJob(database, own, CardJudge()),
        segments=Segments(database),
        regions=RegionDesk(database, clock),
        quarantine=Quarantine(database, clock, own, vault, merging, recovery),
        merging=merging,
        tiers=TierDesk(database, clock, own),
        profiles=ProfileDesk(database, clock, own, vault),
        commands=commands,
        news=News(database),
        draws=DrawDesk(database, clock, own),
        partners=PartnerDesk(database, clock, own, recovery, vault.lookup),
    )


@contextmanager
def open_database(folder: Path, *, is_shared: bool = False) -> Iterator[Database]:
    """The folder's database; shared, another process may serve it at the same time."""
    with ExitStack() as closing:
        if (folder / URL_FILE).exists():
            url = (folder / URL_FILE).read_text(encoding="utf-8").strip()
            engine = postgresql_engine(url)
        else:
            path = folder / DATABASE_FILE
            if not is_shared:
                closing.enter_context(ProcessLock(path))
            elif not path.exists():
                raise EnvironmentFault("not-initialised", folder=str(folder))
            engine = sqlite_engine(str(path))
        database = Database(engine)
        database.before_commit = keep_scopes
        closing.callback(database.close)
        yield database


def own_journal(snapshot: Snapshot, vault: Vault, clock: Clock) -> OwnJournal:
    """The server's own journal as a database has it."""
    journal = snapshot.connection.execute(
        select(schema.shards.c.own_journal).where(schema.shards.c.shard == snapshot.shard)
    ).scalar_one()
    newest = snapshot.connection.execute(
        select(func.max(schema.entries.c.hlc)).where(
            schema.entries.c.shard == snapshot.shard, schema.entries.c.journal == journal
        )
    ).scalar_one()
    hybrid = HybridClock(clock, HybridTime(newest) if newest else None)
    return OwnJournal(JournalId(journal), clock, hybrid, vault.signing)


def open_own_epoch(
    work: Work, vault: Vault, root: SigningKey, *, journal: JournalId, epoch: int, now: str
) -> None:
    """Give the server's own journal an epoch: its first one, or the next after a restore."""
    certificate = Certificate(
        journal=journal,
        epoch=epoch,
        shard=work.shard,
        till_id=None,
        store_id=None,
        till_number=0,
        hash_algorithm=HASH_ALGORITHM,
        signature_algorithm=SIGNATURE_ALGORITHM,
        public_key=str(vault.signing.public),
        key_id=vault.signing.id,
        issued_at=now,
        forked_from=None,
    )
    encoded = encode_certificate(certificate)
    signed = sign_statement(root, purpose="certificate", audience=journal, payload=encoded)
    add_epoch(
        work,
        certificate=certificate,
        encoded=encoded,
        signed=msgspec.msgpack.encode(signed),
        created_at=now,
    )


def new_generation() -> str:
    """A random name for a server's life until the next restore."""
    return secrets.token_hex(GENERATION_BYTES)


def _first_rows(work: Work, vault: Vault, root: SigningKey, now: str) -> None:
    journal = JournalId(random_id())
    work.insert(
        schema.shards,
        [
            {
                "generation": new_generation(),
                "server_seq": 0,
                "own_journal": journal,
                "created_at": now,
            }
        ],
    )
    work.insert(schema.server_keys, _key_rows(vault, root, now))
    open_own_epoch(work, vault, root, journal=journal, epoch=0, now=now)


def _key_rows(vault: Vault, root: SigningKey, now: str) -> list[dict[str, object]]:
    certified = certify_server_key(root, vault.signing.public, issued_at=now)
    return [
        {
            "key_id": root.id,
            "purpose": "root",
            "public_key": str(root.public),
            "certified": None,
            "created_at": now,
        },
        {
            "key_id": vault.signing.id,
            "purpose": "signing",
            "public_key": str(vault.signing.public),
            "certified": msgspec.msgpack.encode(certified),
            "created_at": now,
        },
    ]
