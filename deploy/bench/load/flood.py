"""Connections that say nothing and sign-ins that guess, all at once: what do others notice?

The collector may have as few files as a plain shell gives. The flood comes from the address of
whoever is signed in and from others, as in a school behind one address.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from collector.access.accounts import Accounts
from collector.storage.database import connect
from deploy.bench.load.school import LoadSchool
from edge.common.child import python_command
from edge.common.errors import UserError

FILES = 1024
"""That the collector may have open."""
PASSWORD = "correct horse battery"  # noqa: S105  # of an account that lives as long as the bench
NETWORKS = 8
"""Addresses that the flood comes from, ours among them."""
EVERY_S, LEAST_S, ANSWERS_S = 0.2, 20.0, 60.0
LIMITS = {"page_p95_s": 1.0, "health_max_s": 1.0, "memory_mb": 512.0, "log_mb": 1.0}
"""What each figure has to be below."""


def measure(idle: int, sign_ins: int = 200, least_s: float = LEAST_S) -> dict[str, Any]:
    """Opens `idle` connections and holds them, while as many sign-ins at once are tried.

    Raises UserError where this process may not have so many files.
    """
    _make_room(idle)
    with (
        tempfile.TemporaryDirectory(prefix="roommood-flood-") as folder,
        LoadSchool(Path(folder), None, FILES) as school,
        contextlib.ExitStack() as stack,
    ):
        engine = connect(school.database)
        Accounts(engine).add("ann", "administrator", password=PASSWORD)
        engine.dispose()
        ann = stack.enter_context(_client(school.web_port))
        _sign_in(ann, "ann", PASSWORD)
        health = stack.enter_context(_client(school.web_port))
        over = threading.Event()
        samples: dict[str, list[float]] = {"page": [], "health": [], "memory": []}
        refusals: Counter[str] = Counter()

        def ask(name: str, client: httpx.Client, path: str) -> None:
            while not over.is_set():
                start = time.monotonic()
                try:
                    status = client.get(path, headers={"Connection": "close"}).status_code
                except httpx.TransportError as error:
                    status = 0
                    refusals[f"{name}: {type(error).__name__}"] += 1
                if status not in (0, 200):
                    refusals[f"{name}: {status}"] += 1
                samples[name].append(time.monotonic() - start)
                samples["memory"].append(school.memory_mb())
                over.wait(EVERY_S)

        watchers = [
            threading.Thread(target=ask, args=("page", ann, "/retention")),
            threading.Thread(target=ask, args=("health", health, "/healthz")),
        ]
        for watcher in watchers:
            watcher.start()
        start = time.monotonic()
        try:
            statuses = _flood(idle, sign_ins, school.web_port)
            over.wait(max(0.0, start + least_s - time.monotonic()))
        finally:
            over.set()
            for watcher in watchers:
                watcher.join()
        return {
            "idle": idle,
            "sign_ins": statuses,
            "seconds": round(time.monotonic() - start, 1),
            "asked": len(samples["page"]),
            "page_p95_s": round(_p95(samples["page"]), 2),
            "page_max_s": round(max(samples["page"]), 2),
            "health_p95_s": round(_p95(samples["health"]), 2),
            "health_max_s": round(max(samples["health"]), 2),
            "memory_mb": round(max(samples["memory"])),
            "log_mb": round(os.path.getsize(school.log) / 1e6, 3),
            "refused": dict(refusals),
        }


def _make_room(idle: int) -> None:
    need, (soft, hard) = idle + 1000, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < need <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    elif soft < need:
        raise UserError(
            f"only {hard} files may be open here", f"{idle} connections", "try fewer, or as root"
        )


def _client(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=ANSWERS_S)


def _sign_in(client: httpx.Client, name: str, password: str) -> int:
    client.get("/sign-in")
    form = {"name": name, "password": password, "csrftoken": client.cookies["csrftoken"]}
    return client.post("/sign-in", data=form).status_code


def _flood(idle: int, sign_ins: int, port: int) -> dict[str, int]:
    """Answers to the sign-ins. In a process of its own: threads here would wait for each other, and
    that would be measured."""
    command = python_command("deploy.bench.load.flood", str(idle), str(sign_ins), str(port))
    child = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    statuses: dict[str, int] = json.loads(child.stdout)
    return statuses


def flood(idle: int, sign_ins: int, port: int) -> Counter[str]:
    """Both at once, until all connections were opened and all sign-ins answered."""
    limits = httpx.Limits(max_connections=sign_ins)
    base = f"http://127.0.0.1:{port}"
    with (
        contextlib.ExitStack() as stack,
        httpx.Client(base_url=base, timeout=ANSWERS_S, limits=limits) as client,
        ThreadPoolExecutor(sign_ins) as pool,
    ):
        client.get("/sign-in")
        token = client.cookies["csrftoken"]

        def guess(number: int) -> str:
            form = {"name": f"guess{number}", "password": "wrong", "csrftoken": token}
            try:
                return str(client.post("/sign-in", data=form).status_code)
            except httpx.TransportError as error:
                return type(error).__name__

        answers = [pool.submit(guess, number) for number in range(sign_ins)]
        _hold(idle, port, stack)
        return Counter(answer.result() for answer in answers)


def _hold(idle: int, port: int, stack: contextlib.ExitStack) -> None:
    sockets: list[socket.socket] = []
    stack.callback(_close, sockets)
    for number in range(idle):
        one = socket.socket()
        one.settimeout(ANSWERS_S)
        sockets.append(one)
        with contextlib.suppress(OSError):  # whom it lets go counts as well
            one.bind((f"127.0.0.{1 + number % NETWORKS}", 0))
            one.connect(("127.0.0.1", port))
            if number % 3 == 0:
                one.sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow: ")


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def misses(figures: dict[str, Any]) -> list[str]:
    """The figures that are not below what is asked."""
    return [name for name, most in LIMITS.items() if figures[name] >= most]


if __name__ == "__main__":
    print(json.dumps(flood(*(int(word) for word in sys.argv[1:]))))
