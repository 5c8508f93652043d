"""A server of its own with a chain on it, and what cases need to get past its doors.

Tills with their keys, somebody signed in at head office, members, receipts, cursors and leases:
known to the world, so that a part of the generated data can be made true.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from random import Random
from typing import Any

import httpx
import requests
from requests.adapters import HTTPAdapter

from shared.ids import MemberId
from shared.journal.certificate import decode_certificate
from shared.journal.keys import SigningKey, new_signing_key
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.message import EnrolReply, Stream
from shared.protocol.request_signature import sign_request
from shared.trade.profile import KeyKind, MemberProfile, lookup_hash
from sync_server.bootstrap import initialise, open_services
from sync_server.web.office import SESSION_COOKIE, VISIT_COOKIE
from tests.support.enrolled_till import GOODS
from tests.support.servers import Child, server_child
from tests.support.till_writer import Line, TillWriter

LOGIN, PASSWORD = "office", "a-long-password"
TILLS = 4
_TOKEN = re.compile(r'name="form_token" value="([\w-]+)"')
_CODE = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b")


class Till:
    """A till with the branch of its journal that it goes on with."""

    def __init__(self, writer: TillWriter) -> None:
        self.writer = writer
        self.heads: list[tuple[int, bytes]] = [(0, writer.head.hash)]
        """Places that pushes reached, newest last; some later push forks from an older one."""


@dataclass
class World:
    """Who is known at the server."""

    child: Child
    client: httpx.Client
    session: requests.Session
    """Signs as a till, is signed in at head office."""
    stranger: requests.Session
    tills: list[Till] = field(default_factory=list)
    revoked: SigningKey = field(default_factory=new_signing_key)
    keys: dict[str, SigningKey] = field(default_factory=dict)
    """Keys that cases enrol with, by their public halves."""
    till_ids: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    member_keys: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    leases: list[dict[str, Any]] = field(default_factory=list)
    programmes: list[dict[str, Any]] = field(default_factory=list)
    form_token: str = ""
    nonce: str = ""

    def new_key(self) -> str:
        """The public half of a key that the world can sign with once it is enrolled."""
        key = new_signing_key()
        self.keys[str(key.public)] = key
        return str(key.public)

    def new_code(self, random: Random) -> str:
        """A one-time code, asked for as head office does."""
        page = self.client.post(
            f"/office/tills/{random.choice(self.till_ids)}/code",
            data={"form_token": self.form_token},
        )
        found = _CODE.search(page.text)
        return found[0] if found else ""  # a page that fails is judged where it is the case

    def take_in(self, public_key: str, reply: EnrolReply) -> None:
        """Somebody enrolled with a key of the world's."""
        self.tills[-1] = Till(
            TillWriter(decode_certificate(reply.certificate.payload), self.keys[public_key], reply)
        )

    def refresh_nonce(self) -> None:
        """Nonces live ten minutes."""
        self.nonce = Line(self.client).hello().nonce


class TillSignature(requests.auth.AuthBase):
    """Signs what is sent, by a till that the body's bytes choose."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if request.method != "POST" or not (request.url or "").partition("/v1/")[1]:
            return request
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        chosen = sha256(body).digest()[0]
        path = (request.path_url or "").partition("?")[0]
        key = self._world.tills[chosen % len(self._world.tills)].writer.key
        if chosen > 250:  # a stranger now and then
            key = self._world.revoked
        signed = sign_request(key, method="POST", path=path, body=body, nonce=self._world.nonce)
        for name, value in signed.items():
            request.headers.setdefault(name, value)
        return request


class _Forgetful(DefaultCookiePolicy):
    """Takes no cookie: whoever signs out, or is given another visit's name, stays who they are."""

    def set_ok(self, *_told: Any) -> bool:
        return False


class _From(HTTPAdapter):
    """Speaks from an address of its own: wrong codes and passwords are counted by address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


@contextmanager
def new_world(folder: Path, *, url: str | None = None) -> Iterator[World]:
    """A fresh server in a process of its own, with tills that have sold."""
    initialise(folder, url=url)
    with open_services(folder) as services:
        services.users.add(LOGIN, PASSWORD)
        services.programme.publish(programme_bytes(template("supermarket")))
        services.catalogue.put(GOODS)
        store = services.stores.add_store("Main Street", "Asia/Shanghai")
        till_ids = [services.stores.add_till(store.store_id, f"T{n}").till_id for n in range(TILLS)]
        codes = [services.enrolment.issue_code(till_id) for till_id in till_ids]
    with ExitStack() as closing:
        child = closing.enter_context(server_child(folder, log=folder / "server.log"))
        client = closing.enter_context(httpx.Client(base_url=child.url, timeout=60))
        session = closing.enter_context(requests.Session())
        stranger = closing.enter_context(requests.Session())
        world = World(child, client, session, stranger, till_ids=list(till_ids))
        session.auth = TillSignature(world)
        move(session, Random(0))
        _sign_in(world)
        world.refresh_nonce()
        for code in codes:
            world.tills.append(Till(Line(client).enrol(code)))
        _open_for_business(world)
        yield world


def move(session: requests.Session, random: Random) -> None:
    """Speak from another address of this machine from now on."""
    address = f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{random.randrange(1, 255)}"
    session.mount("http://", _From(address))


def _sign_in(world: World) -> None:
    page = world.client.get("/office/sign-in")
    token = _TOKEN.search(page.text)
    assert token is not None
    world.form_token = token[1]
    told = {"form_token": token[1], "login": LOGIN, "password": PASSWORD}
    answer = world.client.post("/office/sign-in", data=told)
    assert answer.status_code == 303, answer.text
    named = ((name, world.client.cookies[name]) for name in (SESSION_COOKIE, VISIT_COOKIE))
    world.session.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in named)
    world.session.cookies.set_policy(_Forgetful())


def _open_for_business(world: World) -> None:
    """Members and sales at each till, so that look-ups, leases and returns find something."""
    line = Line(world.client)
    for number, till in enumerate(world.tills):
        writer = till.writer
        phone = f"1380013800{number}"
        member = writer.enrol_member(MemberProfile(name="Li Lei", phone=phone), _member(number))
        world.receipts.append(f"{writer.certificate.till_number:03}-{writer.head.next_seq:06}")
        writer.sell(25_000, member=member, earned=250)
        writer.sell(990)
        reply = line.push(writer)
        till.heads.append((reply.next_seq, reply.head_hash))
        world.members.append(member)
        world.member_keys.append(lookup_hash(writer.reply.lookup_key, KeyKind.PHONE, phone))
    for stream in Stream:
        world.cursors.append(line.pull(world.tills[0].writer, stream, limit=1).cursor)


def _member(number: int) -> MemberId:
    return MemberId(f"00000000-0000-4000-8000-{number:012}")
