"""AIM symbology identifiers (ISO/IEC 15424): ``]E0`` before the data tells what was scanned."""

import re

SYMBOLOGIES = {
    "A": "Code 39", "C": "Code 128", "d": "Data Matrix", "E": "EAN-13", "e": "GS1 DataBar",
    "F": "Codabar", "G": "Code 93", "H": "Code 11", "I": "ITF", "J": "DotCode", "K": "Code 16K",
    "L": "PDF417", "M": "MSI", "O": "OCR", "P": "Plessey", "Q": "QR", "R": "Straight 2 of 5",
    "S": "Straight 2 of 5", "U": "MaxiCode", "X": "other", "z": "Aztec", "h": "Han Xin",
}  # fmt: skip
SPECIAL = {
    "C1": "GS1-128", "d2": "GS1 Data Matrix", "E4": "EAN-8", "J1": "GS1 DotCode", "Q3": "GS1 QR",
}  # fmt: skip
IDENTIFIER = re.compile(r"\]([A-Za-z])([0-9A-Za-z])")


def split_identifier(text: str) -> tuple[str, str | None]:
    """The data and the name of its symbology; the whole text and None without an identifier.

    A ``]`` that is followed by no known letter belongs to the data.
    """
    found = IDENTIFIER.match(text)
    if not found or found[1] not in SYMBOLOGIES:
        return text, None
    name = SPECIAL.get(found[1] + found[2], SYMBOLOGIES[found[1]])
    return text[found.end() :], name
