import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location("rest_world", Path(__file__).with_name("rest_world.py"))
assert _spec is not None and _spec.loader is not None
rest_world = sys.modules.setdefault("rest_world", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(rest_world)
