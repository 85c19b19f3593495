"""The forms of a pack: which one a machine runs, and that it does not matter to what is said."""

from __future__ import annotations

import platform
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.vision import forms
from edge.vision.forms import fast_form, open_fast, open_form
from edge.vision.interpreter import TfliteClassifier, runtime
from edge.vision.pack import PACK_FILE, PACKS, open_pack

pytestmark = pytest.mark.long

PACK_NAMES = sorted(path.parent.name for path in PACKS.glob(f"*/{PACK_FILE}"))


@pytest.fixture(scope="module")
def faces(data: Path) -> NDArray[np.uint8]:
    with np.load(data / "fer2013" / "public_test.npz") as archive:
        pixels: NDArray[np.uint8] = archive["pixels"][:300]
    return pixels


def reader(where: str, form: forms.Form) -> TfliteClassifier:
    pack, model, actual_form = open_form(where, form)
    assert actual_form == form
    return TfliteClassifier(model, pack.input, len(pack.labels))


@pytest.mark.parametrize("name", PACK_NAMES)
def test_both_forms_of_a_shipped_pack_say_the_same(name: str, faces: NDArray[np.uint8]) -> None:
    one, other = reader(name, "int8")(faces), reader(name, "float16")(faces)
    assert (one.shares.argmax(1) == other.shares.argmax(1)).mean() >= 0.96
    assert np.abs(one.shares - other.shares).mean() < 0.01
    assert np.abs(one.face - other.face).mean() < 0.01


@pytest.mark.parametrize(
    ("library", "machine", "form"),
    [
        ("tflite-runtime", "x86_64", "float16"),
        ("tflite-runtime", "aarch64", "int8"),
        ("ai-edge-litert", "x86_64", "int8"),
        ("ai-edge-litert", "aarch64", "int8"),
    ],
)
def test_the_form_follows_from_runtime_and_processor(
    library: str, machine: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "runtime", lambda: (library, None))
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert fast_form() == form
    pack, model = open_fast("fer7")
    assert (model == open_pack("fer7")[1]) is (form == "int8")
    assert pack.digest == open_pack("fer7")[0].digest  # what is published is the same


def test_this_machine_runs_the_cheaper_form(faces: NDArray[np.uint8]) -> None:
    """CPU time within one run, for the default pack; twice as dear would be the wrong rule."""
    times = {}
    for form in ("int8", "float16"):
        read = reader("fer7", form)
        read(faces[:20])
        start = time.process_time()
        for at in range(0, 200, 20):
            read(faces[at : at + 20])
        times[form] = time.process_time() - start
    assert times[fast_form()] <= 2 * min(times.values()), (runtime()[0], times)


def test_a_pack_without_the_other_form_runs_as_int8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(PACKS / "fer7", tmp_path / "copy")
    description = yaml.safe_load((copy / PACK_FILE).read_text())
    del description["float16"]
    (copy / PACK_FILE).write_text(yaml.safe_dump(description))
    monkeypatch.setattr(forms, "fast_form", lambda: "float16")
    assert open_form(str(copy))[1:] == (open_pack(str(copy))[1], "int8")


def test_a_damaged_or_missing_form_is_refused_whichever_runs(tmp_path: Path) -> None:
    copy = shutil.copytree(PACKS / "fer7", tmp_path / "copy")
    path = copy / "model-float16.tflite"
    path.write_bytes(path.read_bytes()[:-1])
    for form in ("int8", "float16"):
        with pytest.raises(UserError, match=r"model-float16\.tflite: does not match"):
            open_form(str(copy), form)
    path.unlink()
    with pytest.raises(UserError, match=r"model-float16\.tflite: missing"):
        open_pack(str(copy))
