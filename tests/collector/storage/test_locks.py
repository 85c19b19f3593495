"""A second connection of a process does not take the first one's locks away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from collector.storage.database import connect

READ = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM held').fetchall()"


def test_a_command_beside_a_collector_leaves_its_log_of_writes(tmp_path: Path) -> None:
    """Who closes a database last removes its log; without locks a command would take itself for
    the last, and the collector would go on with a file that is not what it believes."""
    path = tmp_path / "school.sqlite"
    collector = connect(f"sqlite:///{path}")
    with collector.begin() as connection:
        connection.execute(text("CREATE TABLE held (x)"))
    with collector.connect() as connection:
        connection.execute(text("SELECT * FROM held")).all()
        connect(f"sqlite:///{path}").dispose()
        subprocess.run([sys.executable, "-c", READ, path], check=True)
        assert path.with_name("school.sqlite-wal").exists()
    collector.dispose()
