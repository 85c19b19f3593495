from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.common.errors import UserError
from models.data.faces import LABELS
from models.data.sources import VOTERS, load, splits

pytestmark = [pytest.mark.long, pytest.mark.once]


def write(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # arrays of any kind, wrong ones included
    return path


def test_votes_come_in_the_order_of_the_labels(tmp_path: Path) -> None:
    votes = np.zeros((3, 10), np.uint8)
    votes[0, 0] = 10  # neutral
    votes[1, 1] = 6  # happiness
    votes[2, 9] = 10  # not a face
    pixels = np.zeros((3, 48, 48), np.uint8)
    faces = load(write(tmp_path / "f.npz", pixels=pixels, label=np.array([6, 3, 0]), votes=votes))
    assert faces.votes is not None
    assert [LABELS[i] for i in faces.votes[:2].argmax(axis=1)] == ["neutral", "happy"]
    assert faces.has_majority().tolist() == [True, True, False]


def test_votes_may_be_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "f.npz", pixels=np.zeros((1, 48, 48), np.uint8), label=np.array([0]))
    faces = load(path)
    assert faces.votes is None
    with pytest.raises(UserError, match="no FER\\+ votes"):
        faces.has_majority()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pixels": np.zeros((2, 32, 32), np.uint8), "label": np.zeros(2)}, "store them as uint8"),
        ({"pixels": np.zeros((2, 48, 48), np.float32), "label": np.zeros(2)}, "float32"),
        ({"pixels": np.zeros((2, 48, 48), np.uint8), "label": np.zeros(3)}, "do not match"),
        (
            {"pixels": np.zeros((1, 48, 48), np.uint8), "label": np.array([7])},
            "label 7 is out of range",
        ),
        ({"pixels": np.zeros((1, 48, 48), np.uint8)}, "label"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, arrays: dict[str, object], words: str) -> None:
    path = write(tmp_path / "f.npz", **arrays)
    with pytest.raises(UserError, match=words) as refusal:
        load(path)
    assert "f.npz" in str(refusal.value)


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.npz: no such file"):
        load(tmp_path / "gone.npz")
    (tmp_path / "text.npz").write_text("pixels")
    with pytest.raises(UserError, match=r"text\.npz: not a readable"):
        load(tmp_path / "text.npz")


def csv_of(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


GREY = " ".join(["7"] * 2304)


def test_kaggles_csv(tmp_path: Path) -> None:
    path = csv_of(tmp_path / "f.csv", f"3,{GREY},Training", f"6,{GREY},PublicTest")
    faces = load(path, "PublicTest")
    assert faces.label.tolist() == [6]
    assert (faces.pixels == 7).all()
    assert faces.votes is None
    assert len(load(csv_of(tmp_path / "g.csv", f"3,{GREY},Training")).label) == 1


@pytest.mark.parametrize(
    ("rows", "usage", "words"),
    [
        (
            [f"3,{GREY},Training", f"6,{GREY},PublicTest"],
            None,
            "contains PublicTest, Training: choose",
        ),
        ([f"3,{GREY},Training"], "PrivateTest", "no row is for PrivateTest"),
        ([f"9,{GREY},Training"], None, "row 2"),
        (["3,1 2 3,Training"], None, "row 2"),
        (["3,a b,Training"], None, "row 2"),
        ([], None, "lacks columns: give it emotion and pixels"),
    ],
)
def test_a_wrong_csv_is_named(
    tmp_path: Path, rows: list[str], usage: str | None, words: str
) -> None:
    with pytest.raises(UserError, match=words) as refusal:
        load(csv_of(tmp_path / "f.csv", *rows), usage)
    assert "f.csv" in str(refusal.value)


def test_a_folder_per_class(tmp_path: Path) -> None:
    for name, level in (("happy", 200), ("Sadness", 50)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "one.png"), np.full((96, 96), level, np.uint8))
        (tmp_path / name / "notes.txt").write_text("not a picture")
    faces = load(tmp_path)
    assert {
        LABELS[i]: int(face.mean()) for i, face in zip(faces.label, faces.pixels, strict=True)
    } == {
        "happy": 200,
        "sad": 50,
    }


def tree(path: Path, *names: str, each: int = 1) -> Path:
    for level, name in enumerate(names):
        (path / name).mkdir(parents=True)
        for number in range(each):
            cv2.imwrite(str(path / name / f"{number}.png"), np.full((60, 60), 40 * level, np.uint8))
    return path


def test_labels_of_ones_own(tmp_path: Path) -> None:
    faces = load(tree(tmp_path, "Angry", "bored", "engaged", "neutral"))
    assert faces.labels == ("angry", "bored", "engaged", "neutral")
    assert faces.label.tolist() == [0, 1, 2, 3]
    assert faces.names == ["Angry/0.png", "bored/0.png", "engaged/0.png", "neutral/0.png"]


def test_folders_that_cannot_be_labels_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="half bored: not a label's name"):
        load(tree(tmp_path / "a", "half bored", "happy"))
    with pytest.raises(UserError, match=r"two folders mean the same label \(happy, happy\)"):
        load(tree(tmp_path / "b", "happiness", "happy"))


def test_folders_without_a_picture_or_with_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    with pytest.raises(UserError, match="contains no pictures: put"):
        load(tmp_path)
    (tmp_path / "happy" / "one.jpg").write_text("no")
    with pytest.raises(UserError, match=r"one\.jpg: not a readable picture"):
        load(tmp_path)


def test_the_shared_faces_load(data: Path) -> None:
    faces = load(data / "fer2013" / "public_test.npz")
    assert faces.pixels.shape == (3589, 48, 48)
    assert 3000 < faces.has_majority().sum() < 3589


def votes_of(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["Usage,Image name," + ",".join(VOTERS), *rows]) + "\n")
    return path


def test_ferplus_votes_lie_beside_kaggles_csv(tmp_path: Path) -> None:
    path = csv_of(
        tmp_path / "fer2013.csv", f"3,{GREY},Training", f"6,{GREY},PublicTest", f"0,{GREY},Training"
    )
    votes_of(
        tmp_path / "fer2013new.csv",
        "Training,a.png,0,10,0,0,0,0,0,0,0,0",
        "PublicTest,b.png,9,0,0,1,0,0,0,0,0,0",
        "Training,c.png,0,0,0,0,0,0,0,0,0,10",
    )
    faces = load(path, "Training")
    assert faces.votes is not None
    assert faces.votes[0].argmax() == LABELS.index("happy")
    assert faces.not_face is not None
    assert faces.not_face.tolist() == [False, True]
    train, held_out = splits(path, None, 1)
    assert (len(train.label), len(held_out.label)) == (2, 1)


def test_votes_that_do_not_belong_are_refused(tmp_path: Path) -> None:
    path = csv_of(tmp_path / "f.csv", f"3,{GREY},Training")
    two = ["Training,a.png,0,10,0,0,0,0,0,0,0,0"] * 2
    with pytest.raises(UserError, match=r"v\.csv: 2 rows for the 1 of .*f\.csv"):
        load(path, votes=votes_of(tmp_path / "v.csv", *two))
    with pytest.raises(UserError, match="invalid literal"):
        load(path, votes=votes_of(tmp_path / "v.csv", "Training,a.png,x,10,0,0,0,0,0,0,0,0"))


def test_what_is_trained_on_and_what_is_chosen_on(tmp_path: Path) -> None:
    tree(tmp_path / "whole", "bored", "engaged", each=20)
    train, held_out = splits(tmp_path / "whole", None, 1)
    assert (len(train.label), len(held_out.label)) == (36, 4)
    assert not set(train.names) & set(held_out.names)
    tree(tmp_path / "two" / "train", "bored", "engaged", each=3)
    with pytest.raises(UserError, match="has 'train' but none of val"):
        splits(tmp_path / "two", None, 1)
    tree(tmp_path / "two" / "val", "bored", "asleep")
    with pytest.raises(UserError, match="use the same names"):
        splits(tmp_path / "two", None, 1)


def test_photographs_are_cropped_where_haar_finds_the_face(data: Path) -> None:
    faces = load(data / "faces_london")
    assert len(faces.label) + faces.misses == 102
    assert faces.misses <= 2
    assert {LABELS[at] for at in faces.label} == {"happy", "neutral"}
    assert faces.names[0].endswith(".jpg")


@pytest.mark.parametrize("each", [2, 4, 9, 25])
def test_few_pictures_are_held_out_label_by_label(tmp_path: Path, each: int) -> None:
    tree(tmp_path / "own", "angry", "bored", "engaged", "neutral", each=each)
    train, held_out = splits(tmp_path / "own", None, 1)
    for label in range(4):
        assert (held_out.label == label).sum() == max(1, each // 10)
        assert (train.label == label).sum() == each - max(1, each // 10)
    assert not set(train.names) & set(held_out.names)
