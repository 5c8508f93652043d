"""What holds for all tests."""

import os

from hypothesis import settings

# No test puts a key into the key store of whoever runs it; those about it bring their own.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

# A slow machine is not a fault of the product: no example has a time limit.
settings.register_profile("evertill", deadline=None)
settings.load_profile("evertill")
