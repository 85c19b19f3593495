from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge.run import memory
from tests.conftest import ROOT

SWAP = "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2\tpartition\t1000\t0\t-2\n"


def in_a_process(code: str) -> str:
    """What a fresh interpreter prints: limits of memory are for good."""
    run = [sys.executable, "-c", code]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_no_core_is_left_and_none_can_be_allowed_again() -> None:
    code = (
        "import ctypes, resource; from edge.run.memory import no_core_dumps; no_core_dumps();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert in_a_process(code) == "(0, 0) 0"


def test_without_swap_there_is_nothing_to_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(SWAP.splitlines()[0] + "\n")
    monkeypatch.setattr(memory, "SWAPS", swaps)
    assert memory.no_swap() is None


def test_with_swap_it_locks_or_says_what_to_do(tmp_path: Path) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(SWAP)
    code = (
        "from pathlib import Path; from edge.run import memory;"
        f"memory.SWAPS = Path({str(swaps)!r}); said = memory.no_swap();"
        "locked = 'VmLck:\\t       0 kB' not in Path('/proc/self/status').read_text();"
        "print(locked if said is None else 'LimitMEMLOCK' in said)"
    )
    assert in_a_process(code) == "True"
