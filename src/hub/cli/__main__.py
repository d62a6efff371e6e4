"""``python -m hub.cli``: the same program where the script is not on the PATH."""

from hub.cli.main import main

main()
