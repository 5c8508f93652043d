"""One simulator per device: the real drivers talk to it over TCP, a pty or a callback.

Faults are scripted, everything is recorded; usable from tests, the demo and the command line
(``python -m hardware.sim``).
"""
