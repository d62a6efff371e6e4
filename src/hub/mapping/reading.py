"""YAML with positions: the kit's own, since connectors' manifests are read with it too."""

from hub.connect.reading import Section, Where, plain_section, read_yaml

__all__ = ["Section", "Where", "plain_section", "read_yaml"]
