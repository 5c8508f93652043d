"""Devices behind ports: drivers, simulators, and the device half of the spooler."""
