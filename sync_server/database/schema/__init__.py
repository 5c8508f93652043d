"""The tables. The first migration makes them; a test compares the two.

Every key contains the shard, so that tables can be distributed later. Times are RFC 3339 text in
UTC with milliseconds, which sorts as it is. ``APPEND_ONLY`` tables are guarded by triggers.
"""

from typing import Final

from sync_server.database.schema.catalogue import bundles, goods, goods_prices
from sync_server.database.schema.columns import metadata
from sync_server.database.schema.journal import (
    IS_OF_PARTNERS,
    attachments,
    entries,
    epochs,
    erased_attachments,
    head_signatures,
    heads,
    holes,
    natural_keys,
    quarantine,
)
from sync_server.database.schema.leasing import lease_presentations, lease_spends, leases
from sync_server.database.schema.ledger import (
    approvals,
    balances,
    exception_facts,
    exceptions,
    fiscal_tickets,
    gift_cards,
    lots,
    offer_uses,
    postings,
    returned_lines,
    tickets,
)
from sync_server.database.schema.membership import (
    consents,
    key_claims,
    member_days,
    member_entries,
    member_keys,
    member_regions,
    member_segments,
    members,
    merge_moves,
    merges,
    profile_facts,
)
from sync_server.database.schema.replicas import scope_rows, scopes
from sync_server.database.schema.shard import (
    attempts,
    copies,
    durable,
    jobs,
    key_statements,
    server_keys,
    shards,
    users,
)
from sync_server.database.schema.shops import (
    enrolment_codes,
    operators,
    replaced_keys,
    revoked_keys,
    stores,
    till_commands,
    tills,
)

HEAD_REVISION: Final = "0013"
"""The newest migration; a database at another one is upgraded or refused."""

APPEND_ONLY: Final = (
    server_keys,
    key_statements,
    epochs,
    entries,
    head_signatures,
    erased_attachments,
    postings,
    tickets,
    returned_lines,
    natural_keys,
    exceptions,
    exception_facts,
    lease_spends,
    gift_cards,
)

__all__ = [
    "APPEND_ONLY",
    "HEAD_REVISION",
    "IS_OF_PARTNERS",
    "approvals",
    "attachments",
    "attempts",
    "balances",
    "bundles",
    "consents",
    "copies",
    "durable",
    "enrolment_codes",
    "entries",
    "epochs",
    "erased_attachments",
    "exception_facts",
    "exceptions",
    "fiscal_tickets",
    "gift_cards",
    "goods",
    "goods_prices",
    "head_signatures",
    "heads",
    "holes",
    "jobs",
    "key_claims",
    "key_statements",
    "lease_presentations",
    "lease_spends",
    "leases",
    "lots",
    "member_days",
    "member_entries",
    "member_keys",
    "member_regions",
    "member_segments",
    "members",
    "merge_moves",
    "merges",
    "metadata",
    "natural_keys",
    "offer_uses",
    "operators",
    "postings",
    "profile_facts",
    "quarantine",
    "replaced_keys",
    "returned_lines",
    "revoked_keys",
    "scope_rows",
    "scopes",
    "server_keys",
    "shards",
    "stores",
    "tickets",
    "till_commands",
    "tills",
    "users",
]
