from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from edge.common.errors import UserError
from edge.vision.interpreter import TfliteClassifier, stretch
from edge.vision.operating_point import plain
from edge.vision.pack import PACK_FILE, PACKS, open_pack


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKS / "fer7", tmp_path / "copy"))


def change(folder: Path, **fields: object) -> None:
    path = folder / PACK_FILE
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | fields))


def test_the_shipped_pack_opens_and_runs_in_any_batch() -> None:
    pack, model = open_pack("fer7")
    classify = TfliteClassifier(model, pack.input, len(pack.labels))
    faces = np.random.default_rng(1).integers(0, 255, (5, 48, 48), np.uint8)
    together = classify(faces).shares
    assert together.shape == (5, 7)
    assert together.sum(axis=1) == pytest.approx(np.ones(5), abs=0.03)
    one_by_one = np.concatenate([classify(face[np.newaxis]).shares for face in faces])
    assert one_by_one == pytest.approx(together, abs=0.005)


def test_a_crop_in_flat_light_is_stretched_to_the_contrast_that_the_model_knows() -> None:
    rng = np.random.default_rng(1)
    plain = np.clip(rng.normal(128, 40, (3, 48, 48)), 0, 255).astype(np.uint8)
    assert stretch(plain, 33) is plain  # what has enough is not even copied
    flat = (plain * 0.2 + 150).astype(np.uint8)
    before = flat.copy()
    wide = stretch(np.concatenate([plain, flat]), 33)
    assert np.array_equal(wide[:3], plain)
    assert wide[3:].std((1, 2)) == pytest.approx(33, abs=0.5)
    assert wide[3:].mean((1, 2)) == pytest.approx(flat.mean((1, 2)), abs=1)
    assert np.array_equal(flat, before)
    grey = np.full((1, 48, 48), 90, np.uint8)
    assert np.array_equal(stretch(grey, 33), grey)


def test_a_pack_says_how_much_contrast_its_model_is_used_to() -> None:
    pack, model = open_pack("fer7")
    faces = np.random.default_rng(1).integers(100, 130, (4, 48, 48), np.uint8)
    contrast = {"least_contrast": 33.0}
    used_to = TfliteClassifier(model, pack.input.model_copy(update=contrast), 7)
    to_any = TfliteClassifier(model, pack.input.model_copy(update={"least_contrast": 0.0}), 7)
    assert used_to(faces).shares == pytest.approx(to_any(stretch(faces, 33)).shares)
    assert used_to(faces).shares != pytest.approx(to_any(faces).shares, abs=0.05)


def test_the_shipped_model_is_full_integer() -> None:
    pack, model = open_pack("fer7")
    classify = TfliteClassifier(model, pack.input, len(pack.labels))
    kinds = {detail["dtype"] for detail in classify._interpreter.get_tensor_details()}
    assert kinds <= {np.int8, np.int32}
    assert len(model) <= 300_000
    assert pack.labels == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_a_changed_model_is_refused(copy: Path) -> None:
    path = copy / "model.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(UserError, match=r"model\.tflite: does not match the SHA-256"):
        open_pack(str(copy))


def test_a_missing_model_is_named(copy: Path) -> None:
    (copy / "model.tflite").unlink()
    with pytest.raises(UserError, match=r"model\.tflite: missing"):
        open_pack(str(copy))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"labels": ["happy", "happy"]}, "labels repeat"),
        ({"labels": ["happy", "uncertain"]}, "labels repeat, or use"),
        ({"labels": ["happy", "A pupil"]}, "labels"),
        ({"treshold": 0.5}, "did you mean 'threshold'"),
        ({"temperature": 0}, "temperature"),
        ({"confusion": [[1, 2]]}, "'confusion' has the wrong shape: give it 7 rows of 8"),
        (
            {"room": plain(2, 1, 0).model_dump(mode="json")},
            "'room' has the wrong shape: give it numbers for 7 labels",
        ),
    ],
)
def test_a_wrong_pack_file_is_refused(copy: Path, fields: dict[str, object], words: str) -> None:
    change(copy, **fields)
    with pytest.raises(UserError, match=words):
        open_pack(str(copy))


def test_labels_that_do_not_fit_the_model_are_refused(copy: Path) -> None:
    change(copy, labels=["happy", "sad"], confusion=[], room=None)
    pack, model = open_pack(str(copy))
    with pytest.raises(UserError, match="gives 7 labels"):
        TfliteClassifier(model, pack.input, len(pack.labels))


def test_a_file_that_is_no_model_is_refused() -> None:
    pack, _ = open_pack("fer7")
    with pytest.raises(UserError, match="cannot load it"):
        TfliteClassifier(b"not a model" * 100, pack.input, 7)


def test_an_unknown_pack_is_answered_with_those_that_ship() -> None:
    with pytest.raises(UserError, match=r"fer8: no such model pack: .*fer7"):
        open_pack("fer8")
