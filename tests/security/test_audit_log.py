"""The audit log after cuts, edits and reordering, and after more entries: never whole again."""

from __future__ import annotations

import json
import random
import syslog
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from collector.access.audit import FEW, AuditLog
from collector.access.audit_note import FILE, Head, read_head
from collector.access.audit_witness import AuditWitness
from collector.storage.tables import metadata
from edge.common.text import printable

KEY = bytes(32)


def fresh() -> Engine:
    """Without the triggers that refuse changes: whoever tampers drops them first."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


def log(engine: Engine, state: Path) -> AuditLog:
    """As a collector opens it at its start."""
    return AuditLog(engine, state, KEY)


def fill(engine: Engine, state: Path, count: int = 6) -> AuditLog:
    new_log = log(engine, state)
    for number in range(count):
        new_log.add("ann", "sign-in", f"from place {number}")
    return new_log


def tamper(engine: Engine, *statements: str) -> None:
    """As somebody does who may do anything with the database."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


SWAP = (
    "UPDATE audit SET number = -1 WHERE number = 2",
    "UPDATE audit SET number = 2 WHERE number = 4",
    "UPDATE audit SET number = 4 WHERE number = -1",
)
CHANGES = {
    **{f"cut off after {n}": (f"DELETE FROM audit WHERE number > {n}",) for n in range(6)},
    **{f"without {n}": (f"DELETE FROM audit WHERE number = {n}",) for n in range(1, 7)},
    **{f"beginning at {n}": (f"DELETE FROM audit WHERE number < {n}",) for n in range(2, 7)},
    "swapped": SWAP,
    "moved up": (
        "DELETE FROM audit WHERE number = 6",
        "UPDATE audit SET number = 6 WHERE number = 5",
    ),
    "another who": ("UPDATE audit SET who = 'eve' WHERE number = 3",),
    "another what": ("UPDATE audit SET what = 'nothing' WHERE number = 6",),
    "another time": ("UPDATE audit SET at = at - 3600 WHERE number = 1",),
    "called pruned": (
        "DELETE FROM audit WHERE number < 4",
        "UPDATE audit SET what = 'audit log pruned', about = 'entries up to 3, sealed ' || "
        "(SELECT hash FROM audit WHERE number = 4) WHERE number = 6",
    ),
    "set as pruned": (
        "INSERT INTO setting (key, value) VALUES ('audit.pruned', '3')",
        "DELETE FROM audit WHERE number <= 3",
    ),
}


@pytest.mark.parametrize("later", [0, 1, 20])
@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_and_more_entries_it_is_not_whole(
    tmp_path: Path, change: str, later: int
) -> None:
    engine = fresh()
    fill(engine, tmp_path)
    tamper(engine, *CHANGES[change])
    again = log(engine, tmp_path)
    for number in range(later):
        again.add("ann", "sign-in", f"from a later place {number}")
    assert list(again.wrong())
    assert list(log(engine, tmp_path).wrong())


def test_after_any_changes_at_random_it_is_not_whole(tmp_path: Path) -> None:
    """Several at once, entries between them, prunings too."""
    for seed in range(25):
        chance = random.Random(seed)
        engine, state = fresh(), tmp_path / str(seed)
        state.mkdir()
        audit = fill(engine, state, 12)
        if chance.random() < 0.5:
            with engine.connect() as connection:
                oldest = connection.execute(text("SELECT at FROM audit WHERE number = 5")).scalar()
            audit.prune(float(oldest or 0))
        assert list(audit.wrong()) == []
        for _ in range(chance.randint(1, 3)):
            number = chance.randint(6, 12)
            tamper(
                engine,
                chance.choice(
                    (
                        f"DELETE FROM audit WHERE number >= {number}",
                        f"DELETE FROM audit WHERE number = {number}",
                        f"UPDATE audit SET about = 'x' WHERE number <= {number}",
                    )
                ),
            )
            for more in range(chance.randint(0, 9)):
                audit.add("eve", "sign-in", str(more))
        assert list(audit.wrong())


def test_the_note_never_goes_down(tmp_path: Path) -> None:
    engine = fresh()
    audit = fill(engine, tmp_path)
    tamper(engine, "DELETE FROM audit WHERE number > 2")
    audit.add("eve", "sign-in", "after the cut")
    assert int((tmp_path / FILE).read_text().split()[0]) == 7
    assert "entries 3 to 6 are missing" in list(audit.wrong())


def test_a_note_that_was_lost_is_missed_for_ever(tmp_path: Path) -> None:
    engine = fresh()
    audit = fill(engine, tmp_path)
    tamper(engine, "DELETE FROM audit WHERE number > 2")
    (tmp_path / FILE).unlink()
    audit.add("eve", "sign-in", "after the cut")
    assert "before entry 3 the note was lost: cuts there cannot be told" in list(audit.wrong())


def test_a_head_that_was_witnessed_shows_a_cut_of_log_and_note_together(tmp_path: Path) -> None:
    engine = fresh()
    audit = fill(engine, tmp_path)
    witness_head = audit.head()
    note = (tmp_path / FILE).read_text()
    audit.add("ann", "one more")
    assert list(audit.wrong([witness_head])) == []
    tamper(engine, "DELETE FROM audit WHERE number > 4")
    (tmp_path / FILE).write_text("4\n")  # by somebody who may write there as well
    assert list(audit.wrong()) == []
    assert "entries 5 to 6 were cut off" in list(audit.wrong([witness_head]))
    for _ in range(3):
        audit.add("eve", "sign-in", "in their place")
    assert list(audit.wrong([witness_head]))
    assert note.split()[1] == witness_head.seal
    assert list(audit.wrong([Head(99, witness_head.seal)]))


def test_the_head_is_told_to_others_every_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = fill(fresh(), tmp_path)
    lines: list[str] = []
    heads: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(syslog, "syslog", lambda _priority, line: lines.append(line))
    witness = AuditWitness(audit, "school", lambda t, data: heads.append((t, json.loads(data))))
    witness.look()
    audit.add("ann", "one more")
    witness.look()  # not again within the hour
    head = audit.head()
    assert len(lines) == 1
    assert read_head(lines[0].partition("head ")[2]) == Head(6, str(heads[0][1]["seal"]))
    assert [(name, one["number"]) for name, one in heads] == [("roommood/audit/school", 6)]
    monkeypatch.setattr("collector.access.audit_witness.EVERY_S", 0.0)
    witness.look()
    assert heads[-1][1]["seal"] == head.seal


def test_old_entries_go_and_leave_proof_behind(tmp_path: Path) -> None:
    engine = fresh()
    audit = fill(engine, tmp_path, 10)
    with engine.connect() as connection:
        at = connection.execute(text("SELECT at FROM audit WHERE number = 8")).scalar()
    assert audit.prune(float(at or 0)) == 7
    assert [entry.number for entry in audit.newest()] == [11, 10, 9, 8]
    assert list(audit.wrong()) == []
    audit.add("ann", "sign-in", "later")
    assert audit.prune(float(at or 0)) == 0
    assert list(audit.wrong()) == []
    tamper(engine, "INSERT INTO audit VALUES (3, 1.0, 'eve', 'x', 'y', '00')")
    assert list(audit.wrong()) == ["entry 3 was added where there is none any more"]
    tamper(engine, "DELETE FROM audit WHERE number IN (3, 8)")
    assert "entry 8 is missing" in list(audit.wrong())


def test_refusals_are_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = log(fresh(), tmp_path)
    for number in range(500):
        audit.count_denial("r101", "topic refused", f"roommood/v1/school/r{number}/mood")
    assert len(audit) == FEW
    monkeypatch.setattr("collector.access.audit.SAME_VIEW_S", 0)
    audit.add_denials()
    assert audit.newest(1)[0].about == f"{500 - FEW} more of these"


@pytest.mark.parametrize(
    "name", ["ann\n7\t2026-01-01T00:00:00Z\tann\tpause", "a\rb", "\x1b[2J", "\u202eevil", "\u2028"]
)
def test_a_name_makes_no_line_of_its_own(tmp_path: Path, name: str) -> None:
    audit = log(fresh(), tmp_path)
    audit.add(name, "sign-in refused", f"from {name}")
    (entry,) = audit.newest()
    assert entry.who.isprintable()
    assert entry.about.isprintable()
    assert printable(name).isprintable()
