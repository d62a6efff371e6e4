"""Property tests of the mapping language: the same examples every time, and no clock that judges them."""

from hypothesis import settings

settings.register_profile("mapping", derandomize=True, deadline=None, database=None)
settings.load_profile("mapping")
