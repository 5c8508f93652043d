"""What holds for all tests."""

from hypothesis import settings

# A slow machine is not a fault of the product: no example has a time limit.
settings.register_profile("evertill", deadline=None)
settings.load_profile("evertill")
