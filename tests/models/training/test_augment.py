"""What is done to training faces, and what a teacher's answer becomes: where torch is installed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.train


def test_faces_change_repeatably_and_stay_faces() -> None:
    import torch

    from models.training.augment import augment

    faces = torch.rand(32, 1, 48, 48)
    one = augment(faces, torch.Generator().manual_seed(1))
    two = augment(faces, torch.Generator().manual_seed(1))
    other = augment(faces, torch.Generator().manual_seed(2))
    assert one.shape == faces.shape
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_few_wear_glasses_and_only_around_the_eyes() -> None:
    import torch

    from models.training.augment import glasses

    faces = torch.full((400, 1, 48, 48), 0.9)
    with_glasses = glasses(faces, torch.Generator().manual_seed(1), share=0.25)
    differs = (with_glasses != faces).flatten(1).any(1)
    assert 70 < int(differs.sum()) < 130
    assert torch.equal(with_glasses[:, :, 30:], faces[:, :, 30:])


def test_a_target_is_the_peoples_and_the_teachers_answer() -> None:
    import torch

    from models.training.distil import student_targets

    targets = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    logits = torch.zeros(3, 3)
    target = student_targets(targets, logits, labels=2, head=0, trust_in_teacher=0.6)
    assert target[0].tolist() == pytest.approx([0.7, 0.3, 1])
    assert target[1].tolist() == pytest.approx([0.5, 0.5, 1])  # nobody said: the teacher alone
    assert target[2].tolist() == [0, 0, 0]  # no face stays none


def test_what_is_no_face_teaches_no_expression() -> None:
    import torch

    from models.training.samples import loss

    none = torch.zeros(4, 3)
    sure = torch.tensor([[9.0, -9.0, -20.0]] * 4)
    assert float(loss(sure, none, labels=2)) == pytest.approx(0, abs=1e-4)
