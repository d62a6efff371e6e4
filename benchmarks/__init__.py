"""How fast the hub is, against scripts that do the same work by hand: ``python -m benchmarks --help``."""
