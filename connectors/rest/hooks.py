"""The steps that a manifest leaves to a Python file beside it."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigurationError

from .loading import Product

Hook = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Steps:
    """Each None where the manifest does it all."""

    read: Hook | None = None
    write: Hook | None = None
    error: Hook | None = None
    sign: Hook | None = None
    field: Hook | None = None


def load_hooks(product: Product) -> Steps:
    """The functions that the manifest names. Raises ConfigurationError when the file can't be loaded."""
    named = {name: said for name, said in product.manifest.hooks.model_dump().items() if said}
    return Steps(**{name: _function(product, said) for name, said in named.items()})


def _function(product: Product, said: str) -> Hook:
    file, _, function = said.partition(":")
    path = product.file.parent / f"{file}.py"
    made = getattr(_module(path), function, None)
    if not callable(made):
        raise ConfigurationError(f"{path.name} has no function {function!r}", where=str(product.file))
    return made  # type: ignore[no-any-return]


def _module(path: Path) -> Any:
    name = f"hub_hooks_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError("the hooks can't be loaded", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        del sys.modules[name]
        raise ConfigurationError(f"the hooks can't be loaded: {problem}", where=str(path)) from problem
    return module
