"""Cards that are tapped: a PN532 on a serial line, or a PC/SC reader."""
