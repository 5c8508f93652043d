"""ESC/POS: our own encoder, profiles, and the printer's answers.

Sources: Epson ESC/POS Application Programming Guide; GB 18030-2022; ISO/IEC 15417 (Code 128);
ISO/IEC 18004 (QR). Names follow the guide (``GS k``, ``FS &``).
"""
