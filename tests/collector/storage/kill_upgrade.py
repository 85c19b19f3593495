"""Upgrades a database again and again, killed at each statement in turn; run by test_upgrade.py.

    python -m tests.collector.storage.kill_upgrade URL REVISION

Prints, for each statement, what the next start made of it: `ok`, or why it could not.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event

from collector.storage.database import NEWEST, connect, revision, upgrade


def reset(url: str, start: str) -> None:
    """An older database; of SQLite it is made once, and then copied."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        model = file.with_suffix(".model")
        if not model.exists():
            model.touch()
            if start != "base":
                upgrade(create_engine(f"sqlite:///{model}"), start)
        for old in file.parent.glob(f"{file.name}*"):
            old.unlink()
        shutil.copy(model, file)
        return
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    if start != "base":
        upgrade(engine, start)
    engine.dispose()


def killed_at(url: str, number: int) -> bool:
    """Whether the upgrade had so many statements; the child never comes back otherwise."""
    child = os.fork()
    if not child:
        engine, counter = create_engine(url), count(1)

        def stop_at(*_: Any) -> None:
            if next(counter) == number:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(engine, "after_cursor_execute", stop_at)
        upgrade(engine)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for statement in count(1):
        reset(*sys.argv[1:])
        was_killed = killed_at(sys.argv[1], statement)
        try:
            engine = connect(sys.argv[1])
            print("ok" if revision(engine) == NEWEST else "an older revision")
            engine.dispose()
        except Exception as error:
            print(error)
        if not was_killed:
            break
