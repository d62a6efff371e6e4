"""The hub: keeps a company's systems in agreement, in both directions."""

__version__ = "0.1.0"
