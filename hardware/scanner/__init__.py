"""Scanners: as a keyboard (``wedge``) and on a serial line (``serial``)."""
