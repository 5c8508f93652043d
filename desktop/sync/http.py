"""Talking to the server: msgpack over HTTP, every failure as one of our errors."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
import requests

from shared.errors import EnvironmentFault, ProtocolError
from shared.journal.keys import Signed, SigningKey
from shared.protocol.command import CommandReply, CommandRequest
from shared.protocol.lease import LeaseReply, LeaseRequest
from shared.protocol.message import (
    CONTENT_TYPE,
    PROTOCOL,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    Hello,
    KeysReply,
    LookupReply,
    LookupRequest,
    Message,
    PullReply,
    PullRequest,
    PushReply,
    PushRequest,
    RekeyReply,
    RekeyRequest,
    WaitReply,
    WaitRequest,
)
from shared.protocol.request_signature import sign_request
from shared.protocol.snapshot import SnapshotReply, SnapshotRequest

Reply = TypeVar("Reply", bound=Message)

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
PARTIAL_CONTENT = 206
TAKEN = frozenset({200, PARTIAL_CONTENT})
NOTHING: Mapping[str, str] = {}
STALE_NONCE = frozenset({"old-nonce", "bad-nonce"})


class RefusedError(ProtocolError):
    """The server answered, and said no; ``reply`` says why."""

    def __init__(self, status: int, reply: ErrorReply) -> None:
        super().__init__(reply.code, **reply.fields)
        self.status = status
        self.reply = reply


class ServerConnection:
    """One till's connection; used from one thread at a time."""

    def __init__(self, url: str, key: SigningKey | None = None) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._session = requests.Session()
        # A till talks to its own server; proxies of the user's desktop are none of its business.
        self._session.trust_env = False
        self._nonce = ""

    def close(self) -> None:
        """Let go of the socket."""
        self._session.close()

    def hello(self) -> Hello:
        """The handshake: versions, time, limits, and the nonce to sign with."""
        hello = self._read(self._send("GET", "/v1/hello", b"", {}), Hello)
        if not hello.protocol_min <= PROTOCOL <= hello.protocol_max:
            raise ProtocolError(
                "protocol-version", ours=PROTOCOL, low=hello.protocol_min, high=hello.protocol_max
            )
        self._nonce = hello.nonce
        return hello

    def enrol(self, request: EnrolRequest) -> EnrolReply:
        """Exchange a one-time code for a certificate."""
        return self._post("/v1/enrol", request, EnrolReply)

    def push(self, request: PushRequest) -> PushReply:
        """Send entries; they prove themselves, so the request is not signed."""
        return self._post("/v1/sync/push", request, PushReply)

    def pull(self, request: PullRequest) -> PullReply:
        """One page of a stream."""
        return self._signed("/v1/sync/pull", request, PullReply)

    def wait(self, request: WaitRequest) -> WaitReply:
        """Answered when there is something new to pull, or when the time is over."""
        return self._signed("/v1/sync/wait", request, WaitReply)

    def snapshot(self, request: SnapshotRequest) -> SnapshotReply:
        """The newest snapshot of a stream, if there is one."""
        return self._signed("/v1/sync/snapshot", request, SnapshotReply)

    def snapshot_part(self, name: str, *, first: int, size: int) -> bytes:
        """Bytes of a snapshot from a place on: as many as asked for, or as there are.

        Raises ProtocolError ``not-our-server`` for an answer that is no such range.
        """
        path = f"/v1/sync/snapshot/{name}"
        ranged = {"Range": f"bytes={first}-{first + size - 1}"}
        response = self._with_nonce("GET", path, b"", ranged)
        told = response.headers.get("Content-Range", "").split("/")[0]
        content = response.content
        if (response.status_code, told) != (
            PARTIAL_CONTENT,
            f"bytes {first}-{first + len(content) - 1}",
        ):
            raise ProtocolError("not-our-server")
        return content

    def keys(self) -> tuple[Signed, ...]:
        """All statements about the server's keys; they prove themselves."""
        return self._read(self._send("GET", "/v1/keys", b"", {}), KeysReply).statements

    def rekey(self, request: RekeyRequest) -> RekeyReply:
        """The next epoch's certificate, for a new key."""
        return self._signed("/v1/rekey", request, RekeyReply)

    def commands(self, request: CommandRequest) -> CommandReply:
        """What head office tells this till to do."""
        return self._signed("/v1/commands", request, CommandReply)

    def lookup(self, request: LookupRequest) -> LookupReply:
        """A member or a receipt that this till does not hold."""
        return self._signed("/v1/lookup", request, LookupReply)

    def leases(self, request: LeaseRequest) -> LeaseReply:
        """Rights to spend: asked for, told, called back."""
        return self._signed("/v1/leases", request, LeaseReply)

    def _post(self, path: str, message: Message, kind: type[Reply]) -> Reply:
        return self._read(self._send("POST", path, msgspec.msgpack.encode(message), {}), kind)

    def _signed(self, path: str, message: Message, kind: type[Reply]) -> Reply:
        return _decode(
            self._with_nonce("POST", path, msgspec.msgpack.encode(message)).content, kind
        )

    def _with_nonce(
        self, method: str, path: str, body: bytes, beside: Mapping[str, str] = NOTHING
    ) -> requests.Response:
        """Send a signed request; once more where the nonce has grown old."""
        assert self._key is not None
        for attempt in (1, 2):
            if not self._nonce:
                self.hello()
            headers = sign_request(
                self._key, method=method, path=path, body=body, nonce=self._nonce
            )
            try:
                return self._taken(self._send(method, path, body, {**headers, **beside}))
            except RefusedError as refused:
                if refused.code not in STALE_NONCE or attempt == 2:
                    raise
                self._nonce = ""
        raise AssertionError

    def _send(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self._url + path,
                data=body,
                headers={"Content-Type": CONTENT_TYPE, **headers},
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            )
        except requests.Timeout as error:
            raise EnvironmentFault("server-timeout", url=self._url) from error
        except requests.RequestException as error:
            raise EnvironmentFault("server-unreachable", url=self._url) from error

    def _read(self, response: requests.Response, kind: type[Reply]) -> Reply:
        return _decode(self._taken(response).content, kind)

    @staticmethod
    def _taken(response: requests.Response) -> requests.Response:
        if response.status_code in TAKEN:
            return response
        if response.status_code >= 500:
            raise EnvironmentFault("server-error", status=response.status_code)
        raise RefusedError(response.status_code, _decode(response.content, ErrorReply))


def _decode(content: bytes, kind: type[Reply]) -> Reply:
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        # A captive portal or a proxy answered instead of our server.
        raise ProtocolError("not-our-server") from error
