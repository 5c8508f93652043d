"""A virtual printer: reads ESC/POS of any origin and shows the paper, as text and as a picture.

``tokens`` cuts a stream into commands and text, ``interpreter`` prints them on a ``sheet``,
``text`` and ``picture`` show the sheet. It draws what the bytes say and nothing the sender meant,
so that a wrong byte can be seen.
"""
