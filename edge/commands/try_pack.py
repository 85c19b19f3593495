"""`python -m edge.commands.try_pack FOLDER`: runs a pack's model once, and says whether it can."""

from __future__ import annotations

import sys

import numpy as np

from edge.common.errors import UserError
from edge.vision.forms import FORMS, open_form
from edge.vision.interpreter import TfliteClassifier


def main(folder: str) -> None:
    """Both forms, whichever runs here: the next runtime may prefer the other one."""
    for form in FORMS:
        try:
            pack, model, _ = open_form(folder, form)
            classifier = TfliteClassifier(model, pack.input, len(pack.labels))
            size = pack.input.size
            answers = classifier(np.full((2, size, size), 128, np.uint8))
        except UserError as refusal:
            sys.exit(str(refusal))
        except (ValueError, RuntimeError) as error:
            sys.exit(f"{form}: {type(error).__name__}: {error}")
        if answers.shares.shape != (2, len(pack.labels)) or not np.isfinite(answers.shares).all():
            sys.exit(f"{form}: the model's output is not one share per label")


if __name__ == "__main__":
    main(sys.argv[1])
