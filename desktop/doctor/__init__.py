"""Looks at a till from outside: devices, files, machine, server; says what to do."""
