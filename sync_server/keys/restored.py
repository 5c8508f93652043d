"""The server's keys after a restore: what the root said since the copy was made holds, and where
that is anything, the root vouches for a fresh signing key."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from shared.clock import Clock
from shared.errors import EnvironmentFault
from shared.journal.keys import Signed, SigningKey, new_signing_key, parse_public_key
from shared.journal.server_key import (
    PURPOSE,
    ROOT_PURPOSE,
    ServerKey,
    TrustedKeys,
    certify_server_key,
)
from sync_server.database.transaction import Work
from sync_server.keys.changing import add_key, add_statements, time_of_change
from sync_server.keys.known import all_statements, first_root, is_noted
from sync_server.keys.signing_anew import sign_anew
from sync_server.keys.vault import SIGNING_FILE, Vault, write_next


def restore_keys(
    work: Work, vault: Vault, root: SigningKey, told: Sequence[Signed], folder: Path, clock: Clock
) -> Vault:
    """Take over what was said of keys after the copy; what the server signs with from now on.

    A new key waits in ``folder`` as ``changing`` lets one wait. Raises EnvironmentFault
    ``root-key-replaced`` where another root speaks by now.
    """
    trusted = TrustedKeys(first_root(work), all_statements(work))
    later = [signed for signed in told if trusted.learn(signed)]
    if trusted.root.id != root.id:
        raise EnvironmentFault("root-key-replaced", key=trusted.root.id)
    if not later:
        return vault
    for signed in later:
        _note(work, signed, time_of_change(work, clock))
    key = new_signing_key()
    write_next(folder / SIGNING_FILE, key.raw)
    now = time_of_change(work, clock)
    certified = certify_server_key(root, key.public, issued_at=now)
    add_key(work, "signing", key.public, certified, now)
    add_statements(work, [*later, certified], now)
    return replace(vault, signing=key)


def sign_again(work: Work, key: SigningKey) -> None:
    """Sign with this key what keys have signed that were taken back."""
    trusted = TrustedKeys(first_root(work), all_statements(work))
    believed = {one.id for one in trusted.signing_keys}
    for key_id in trusted.known_ids - believed:
        sign_anew(work, key, of=key_id)


def _note(work: Work, signed: Signed, now: str) -> None:
    """A key that this database did not know; what is said of one that it knows is no new key."""
    if signed.purpose not in (PURPOSE, ROOT_PURPOSE):
        return
    told = parse_public_key(msgspec.json.decode(signed.payload, type=ServerKey).public_key)
    if signed.purpose == ROOT_PURPOSE:
        add_key(work, "root", told, None, now)
    elif not is_noted(work, told.id):
        add_key(work, "signing", told, signed, now)
