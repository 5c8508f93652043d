"""The guided printer test: finds out what a printer can do and writes its profile.

``abilities`` asks the printer itself, ``pages`` prints what only eyes can judge, ``course`` leads
from question to question, ``findings`` makes the profile file.
"""
