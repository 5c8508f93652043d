"""The pages of an encrypted file, each read by itself, whether or not SQLCipher would read it.

A page is AES-256 in CBC mode; in its last 80 bytes lie its initialization vector and an HMAC over
both and the page's number. A changed bit harms its own block of 16 bytes and one bit of the next,
so that the rest of the page can be read though the HMAC is wrong.

https://www.zetetic.net/sqlcipher/design/
"""

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE_BYTES: Final = 4096
"""Of every till's file; a header that says otherwise is damaged."""
SALT_BYTES: Final = 16
"""At the head of the first page, in clear."""
BLOCK_BYTES: Final = 16
TAG_BYTES: Final = 64
TAG_BEGINS: Final = PAGE_BYTES - TAG_BYTES
CLEAR_BYTES: Final = TAG_BEGINS - BLOCK_BYTES
"""Of a page, what SQLite has to itself."""


class PageCipher:
    """Decrypts pages; it needs the key alone, neither the file's salt nor the page's number."""

    def __init__(self, key: bytes) -> None:
        """``key``: 32 bytes, as SQLCipher is given it."""
        self._algorithm = algorithms.AES(key)

    def clear(self, page: bytes) -> bytes:
        """The ``CLEAR_BYTES`` of a whole page; nothing of one that was cut short.

        Of the first page, which begins with the salt, the first two blocks have no meaning.
        """
        if len(page) < PAGE_BYTES:
            return b""
        return self._decrypted(page[:CLEAR_BYTES], page[CLEAR_BYTES:TAG_BEGINS])

    def clear_blocks(self, content: bytes) -> bytes:
        """Whole blocks from anywhere in a file; those of no meaning are the first, and each that
        does not stand behind the one that it was written behind.
        """
        return self._decrypted(content[: len(content) // BLOCK_BYTES * BLOCK_BYTES])

    def _decrypted(self, blocks: bytes, vector: bytes = bytes(BLOCK_BYTES)) -> bytes:
        return Cipher(self._algorithm, modes.CBC(vector)).decryptor().update(blocks)


class PageTags:
    """The HMACs of a file's pages."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        masked = bytes(byte ^ 0x3A for byte in salt)
        self._key = hashlib.pbkdf2_hmac("sha512", key, masked, 2, 32)

    def of(self, page: bytes, number: int) -> bytes:
        """What a page with this number, counted from 1, should end with."""
        begins = SALT_BYTES if number == 1 else 0
        covered = page[begins:TAG_BEGINS] + number.to_bytes(4, "little")
        return hmac.digest(self._key, covered, "sha512")

    def is_right(self, page: bytes, number: int) -> bool:
        """Whether a page is as it was written, under this key and in this place."""
        return len(page) == PAGE_BYTES and page[TAG_BEGINS:] == self.of(page, number)
