"""What a signing key said that was taken back, and that the server stands by: said by another."""

from shared.journal.keys import KeyId, SigningKey
from sync_server.database.transaction import Work
from sync_server.leases.signed_anew import sign_leases_anew
from sync_server.orders.kept import sign_commands_anew
from sync_server.programme.publishing import sign_bundles_anew


def sign_anew(work: Work, key: SigningKey, *, of: KeyId) -> None:
    """Sign programmes, commands and leases again that are in this database; certificates of tills
    stay good as they are (``KnownKeys.author_of``)."""
    sign_bundles_anew(work, key, of=of)
    sign_commands_anew(work, key, of=of)
    sign_leases_anew(work, key, of=of)
