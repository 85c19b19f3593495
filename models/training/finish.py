"""What a CPU does after the training: packs, compared with those that ship, and their cards."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from edge.common.child import python_command
from edge.common.errors import UserError
from edge.vision.pack import PACK_FILE, open_pack
from models.data.faces import LABELS
from models.data.sources import load
from models.training.network import MiniXception, Name
from models.training.packing import FLOAT_FILE, Origin, add_float16, write_pack
from models.training.saved_networks import read_weights
from models.training.session import COMMAND, STUDENTS

DATA = "FER2013 train; temperature, thresholds and whether it replaces an older pack chosen on "


def finish_all(
    data: Path, out: Path, packs: Path, only: tuple[str, ...], log: Callable[[str], None]
) -> None:
    """Makes packs in `out/packs`; one that is better on its truth replaces that in `packs`.

    A pack that stays gets the form that it lacks. Those that changed get new cards. Raises
    UserError where nothing has been learnt.
    """
    students = {p.stem: p for p in sorted((out / "students").glob("*.npz")) if p.stem in STUDENTS}
    selection = {name: path for name, path in students.items() if not only or name in only}
    if not selection:
        raise UserError("no student is there", out, "train first, with --minutes N")
    faces = data / "fer2013"
    training_faces, held_out = load(faces / "train.npz"), load(faces / "public_test.npz")
    how = (out / COMMAND).read_text(encoding="utf-8").strip()
    for name, path in selection.items():
        goal = STUDENTS[name]
        network = stored_as(path, goal.network)
        finish = f"python -m models.recipe --data {shlex.quote(str(data))} --out {out} --finish"
        origin = Origin(
            LABELS, goal.truth, goal.network, DATA + "public_test",
            f"{how} && {finish} --packs {packs}",
        )  # fmt: skip
        content = write_pack(network, out / "packs" / name, training_faces, held_out, origin)
        log(f"{name}: {content['figures']}")
        if is_better(out / "packs" / name, packs / name, log):
            fit_point(out / "packs" / name, data)
            shutil.rmtree(packs / name, ignore_errors=True)
            shutil.copytree(out / "packs" / name, packs / name)
            write_card(packs / name, data)
    for description in sorted(packs.glob(f"*/{PACK_FILE}")):
        if not (description.parent / FLOAT_FILE).exists():
            add_float16(description.parent)
            write_card(description.parent, data)


def fit_point(folder: Path, data: Path) -> None:
    """A pack's point for rooms, without which devices would read it as the votes taught it."""
    words = ("--model", str(folder), "--data", str(data), "--write")
    command = python_command("models.measure.operating_point", *words)
    if subprocess.run(command, check=False).returncode:
        raise UserError("failed", shlex.join(command), "see above")


def stored_as(path: Path, network: Name) -> MiniXception:
    """A student's weights; the file is named after its pack, not after its network."""
    student = read_weights(path, 8, network)
    assert isinstance(student, MiniXception)  # STUDENTS has no other
    return student


def is_better(new: Path, current: Path, log: Callable[[str], None]) -> bool:
    """By the accuracy of the int8 files on their truth, where both were chosen: public_test."""
    accuracy = open_pack(str(new))[0].figures["accuracy"]
    if not (current / PACK_FILE).exists():
        return True
    before = open_pack(str(current))[0].figures["accuracy"]
    if accuracy <= before:
        log(f"{current.name}: {accuracy} is no better than {before}: left as it is")
        return False
    log(f"{current.name}: {before} before, {accuracy} now")
    return True


def write_card(folder: Path, data: Path) -> None:
    """CARD.md by `roommood model card`, on public_test and the photographs of adults."""
    words = (
        "model", "card", "--model", str(folder), "--data", str(data / "fer2013/public_test.npz"),
        "--photos", str(data / "faces_london"), "--rooms", str(data),
    )  # fmt: skip
    command = python_command("deploy.commands.cli", *words)
    if subprocess.run(command, check=False, env=os.environ).returncode:
        raise UserError("failed", f"roommood {shlex.join(words)}", "see above")
