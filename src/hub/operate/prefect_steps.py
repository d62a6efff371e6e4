"""What a Prefect worker does before it starts a run: finds the flow file, where the hub is installed on its machine."""

from __future__ import annotations

from hub.connect.bundled import bundled_dir
from hub.operate.facts import project_folder


def use_flows(project: str, file: str) -> dict[str, str]:
    """A pull step: the folder of the flow's ``file``. The project's own ``flows/`` wins over the bundled one.

    Raises ConfigurationError when the project is not on this machine.
    """
    own = project_folder(project) / "flows"
    return {"directory": str(own if (own / file).is_file() else bundled_dir("flows"))}
