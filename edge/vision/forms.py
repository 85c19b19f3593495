"""Which form of a pack's network a machine runs: int8, or floating point where that is faster.

tflite-runtime 2.14 leaves int8 to kernels that are slow on x86-64: a face takes 4.2 ms there as
int8 and 0.5 ms in floating point. LiteRT, and both on arm64, have fast kernels for int8. The rule
is by runtime and processor rather than measured at each start, so that two devices of a kind answer
alike and the first frame does not wait. What is published is always the int8 file's digest; how
often both forms give the same answer is on the pack's card.
"""

from __future__ import annotations

import platform
from typing import Literal

from edge.vision.interpreter import runtime
from edge.vision.pack import Pack, open_float16, open_pack

Form = Literal["int8", "float16"]
FORMS: tuple[Form, ...] = ("int8", "float16")

SLOW_INT8 = {("tflite-runtime", "x86_64"), ("tflite-runtime", "AMD64")}
"""Runtimes, and the processors on which they have no fast kernels for int8."""


def fast_form() -> Form:
    """The form that the installed runtime is fast with; raises UserError without a runtime."""
    return "float16" if (runtime()[0], platform.machine()) in SLOW_INT8 else "int8"


def open_form(where: str, form: Form | None = None) -> tuple[Pack, bytes, Form]:
    """A pack, the bytes of the form asked for, or of the fast one, and which form they are.

    A pack that has no other form is opened as int8. Raises UserError as `open_pack` does.
    """
    if (form or fast_form()) == "float16":
        pack, model = open_float16(where)
        if model is not None:
            return pack, model, "float16"
    return (*open_pack(where), "int8")


def open_fast(where: str) -> tuple[Pack, bytes]:
    """A pack with the bytes that this machine runs; raises UserError as `open_pack` does."""
    pack, model, _ = open_form(where)
    return pack, model
