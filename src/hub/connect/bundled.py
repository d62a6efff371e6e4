"""Where the parts that ship with the hub lie: inside the package when installed, in the repository in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hub.errors import ConfigurationError

Kind = Literal["connectors", "mappings", "flows"]

_PACKAGE = Path(__file__).resolve().parents[1]


def bundled_dir(kind: Kind) -> Path:
    """The folder of the bundled ``connectors``, ``mappings`` or ``flows``.

    Raises ConfigurationError when the installation is incomplete.
    """
    for folder in (_PACKAGE / "bundled" / kind, _PACKAGE.parents[1] / kind):
        if folder.is_dir():
            return folder
    raise ConfigurationError(
        f"the bundled {kind} are missing",
        where=str(_PACKAGE),
        cure="install the hub again: pip install --force-reinstall connector-hub",
    )
