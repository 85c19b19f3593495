"""The command line of a child of ours: a module in another Python like this one.

`python -m` looks for modules in the current folder first, so that a file `deploy.py` of whoever
calls us would run instead of ours; `-P` against that is not in Python 3.10, and `-I` would not find
what was installed for one user alone.
"""

from __future__ import annotations

import sys

BEGIN = (
    "import sys; sys.path[:] = [path for path in sys.path if path]; del sys.argv[0]; "
    "import runpy; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
"""With `-c` the current folder is on the path as an empty entry, until we are asked to import."""


def python_command(module: str, *arguments: str) -> list[str]:
    """As `python -m module arguments`, whatever lies in the folder where it is started."""
    return [sys.executable, "-c", BEGIN, module, *arguments]
