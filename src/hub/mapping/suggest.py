"""Did-you-mean: the kit's own."""

from hub.connect.suggest import a, did_you_mean, nearest

__all__ = ["a", "did_you_mean", "nearest"]
