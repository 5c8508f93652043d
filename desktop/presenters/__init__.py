"""What a screen shows and what can be done on it: plain Python, no Qt, no threads of its own.

Views are frozen values with codes and fields; words are made where they are painted. Everything
here runs on the till loop's one thread, in the order in which keys and scans came.
"""
