"""The one message catalogue: words for till, paper, explanations, errors and web.

Every message has a key (``till.sale.total``, ``error.unknown-barcode``) and stands in gettext files
``<language>/<area>.po``, one per area, under the same key in every language. Code carries keys and
fields; words are made at the edge, so switching the language repaints everything.
"""

from shared.language.catalogue import Language, Words, words

__all__ = ["Language", "Words", "words"]
