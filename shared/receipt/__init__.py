"""A receipt as a document of blocks, built from facts, laid out in cells; the same on every medium.

``document`` names the blocks, ``text`` makes strings safe and measures them, ``layout`` sets a
document in so many columns, ``builder`` makes documents from facts. Nothing here knows a printer.
"""
