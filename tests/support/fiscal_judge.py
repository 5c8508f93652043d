"""Judges signatures by openssl, which knows nothing of the product."""

import base64
import subprocess
from pathlib import Path


def openssl_accepts(folder: Path, *, public_key: str, signature: str, told: bytes) -> bool:
    """What openssl says of a base64 signature by a base64 key over bytes."""
    (folder / "key.der").write_bytes(base64.b64decode(public_key))
    (folder / "signature").write_bytes(base64.b64decode(signature))
    (folder / "told").write_bytes(told)
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", folder / "key.der", "-keyform", "DER",
         "-signature", folder / "signature", folder / "told"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout in ("Verified OK\n", "Verification failure\n"), done.stderr
    return done.stdout == "Verified OK\n"
