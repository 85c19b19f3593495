"""What teachers say of the training faces, kept on disk for every student to learn from.

Each epoch sees the faces augmented anew; the teacher is asked about just that view of them, since
a student that is shown the teacher's answer to another picture learns less (Beyer et al.,
arXiv 2106.05237). Views are made once and serve all students.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edge.common.errors import UserError
from models.training.augment import augment
from models.training.runs import Settings
from models.training.samples import Samples
from models.training.saved_networks import restore

BATCH = 256


@dataclass(frozen=True)
class Teachers:
    """networks: ready to answer. both: whether they know both truths. views: what they said.

    strength: how much the faces that they were asked about had been changed.
    """

    networks: list[nn.Module]
    both: bool
    views: Path
    strength: float = 1.0


def teachers(
    settings: Settings, samples: Samples, beside: Path, device: torch.device
) -> Teachers | None:
    """The networks to learn from; raises UserError for those that know other labels or truths.

    What they say of these faces is kept in a folder `beside` the runs, for all of their students.
    """
    if not settings.teacher:
        return None
    networks, truths = [], set()
    for run in settings.teacher:
        network, labels, truth = restore(run)
        if labels != settings.labels or truth not in ("both", settings.truth):
            raise UserError("a teacher with other labels", run, "train one on this data")
        networks.append(network.to(device, memory_format=torch.channels_last))
        truths.add(truth)
    if len(truths) > 1:
        raise UserError(
            "some know both truths and some only one", "--teacher", "use teachers of one kind"
        )
    mild = [] if settings.strength == 1 else [f"{settings.strength:g}"]
    names = [Path(run).name for run in settings.teacher]
    faces = hashlib.blake2s(samples.pixels.numpy().tobytes(), digest_size=4).hexdigest()
    views = beside / "-".join(["views", *names, *mild, faces])
    return Teachers(networks, truths == {"both"}, views, settings.strength)


def view(
    teachers: Teachers, samples: Samples, number: int, device: torch.device, half: bool
) -> tuple[Tensor, Tensor]:
    """Augmented pixels (N, 1, 48, 48) uint8 and the teachers' logits (N, outputs) of one view.

    Teachers look at each face and at its mirror image, which is a better answer for little.
    """
    path = teachers.views / f"{number:03}.npz"
    if path.exists():
        with np.load(path) as archive:
            return torch.from_numpy(archive["pixels"]), torch.from_numpy(archive["logits"]).float()
    rng = torch.Generator().manual_seed(number)
    order = torch.randperm(len(samples.pixels), generator=rng)
    pixels = torch.empty_like(samples.pixels)
    answers = []
    with torch.inference_mode():
        for rows in order.split(BATCH):
            faces = samples.pixels[rows].to(device).float() / 255
            variants = augment(faces, rng, teachers.strength)
            levels = (variants * 255).round().to(torch.uint8)
            x = (levels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                outputs = [
                    network(face) for network in teachers.networks for face in (x, x.flip(3))
                ]
            pixels[rows] = levels.cpu()
            answers.append(torch.stack(outputs).float().mean(0).cpu())
    logits = torch.cat(answers)[order.argsort()]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{number:03}-{os.getpid()}.part.npz")  # students may run side by side
    np.savez(partial, pixels=pixels.numpy(), logits=logits.half().numpy())
    partial.replace(path)
    return pixels, logits


def student_targets(
    targets: Tensor, logits: Tensor, labels: int, head: int, trust_in_teacher: float
) -> Tensor:
    """Targets (N, labels + 1) of a student, from the people's and the teacher's answers.

    `logits` are the teacher's, of which `head` numbers the truth that the student learns;
    `trust_in_teacher` is how much of a target they make. Where people said too little, they are
    all of it; what is no face stays none.
    """
    answer = torch.softmax(logits[:, head * labels : (head + 1) * labels], 1)
    shares, face = targets[:, :labels], targets[:, labels:]
    total = shares.sum(1, keepdim=True)
    trust = torch.where(total > 0, trust_in_teacher, 1.0)
    weight = torch.where(total > 0, total, 1.0)
    return torch.cat([((1 - trust) * shares + trust * weight * answer) * face, face], 1)
