"""The interpreter seam: tflite-runtime where it still exists, its successor LiteRT elsewhere."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.camera.base import Grey
from edge.common.errors import UserError
from edge.vision.pack import Input


class Answers(NamedTuple):
    """What a model says of N crops."""

    shares: NDArray[np.float32]
    """(N, labels) probabilities."""
    face: NDArray[np.float32]
    """(N,) probability that it is a face at all; 1 from a model that does not say."""


class Classifier(Protocol):
    """(N, size, size) uint8 grey crops to answers."""

    def __call__(self, crops: Grey) -> Answers: ...


def stretch(crops: Grey, least: float) -> Grey:
    """(N, height, width) crops, those with a smaller deviation than `least` stretched to it.

    Each keeps its mean, as far as there is room to black and white.
    """
    deviation = crops.std((1, 2), keepdims=True)
    flat = deviation[:, 0, 0] < least
    if not flat.any():
        return crops
    face = crops[flat].astype(np.float64)
    mean = face.mean((1, 2), keepdims=True)
    face -= mean
    face *= least / np.maximum(deviation[flat], 1)  # what is all grey stays nearly so
    face += mean
    wide = crops.copy()
    wide[flat] = np.clip(np.rint(face, out=face), 0, 255, out=face)
    face.fill(0)  # nothing of a face stays behind
    return wide


def runtime() -> tuple[str, Any]:
    """The name and the Interpreter class of the installed runtime; raises UserError without one."""
    try:
        from tflite_runtime.interpreter import Interpreter

        return "tflite-runtime", Interpreter
    except ImportError:
        pass
    try:
        from ai_edge_litert.interpreter import Interpreter

        return "ai-edge-litert", Interpreter
    except ImportError as error:
        raise UserError(
            f"no TFLite runtime ({error})", "model", "install roommood again with pip"
        ) from None


class TfliteClassifier:
    """Runs a model over the crops of a frame, int8 or float32 as the file has it."""

    def __init__(self, model: bytes, shape: Input, labels: int, threads: int = 1) -> None:
        self.runtime, interpreter = runtime()
        try:
            self._interpreter = interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(
                f"{self.runtime} cannot load it ({error})", "model", "copy it again"
            ) from None
        self._input = self._interpreter.get_input_details()[0]
        outputs = self._interpreter.get_output_details()
        self._output = outputs[0]
        self._face = outputs[1] if len(outputs) > 1 else None
        pack_shape = (shape.size, shape.size, 1)
        model_shape = tuple(int(n) for n in self._input["shape"][1:])
        if model_shape != pack_shape or int(self._output["shape"][-1]) != labels:
            raise UserError(
                f"takes {model_shape} and gives {int(self._output['shape'][-1])} labels, but its "
                f"pack says {pack_shape} and {labels}",
                "model",
                "use the pack it came with",
            )
        self._table = self._input_table(shape)
        self._least_contrast = shape.least_contrast

    def _input_table(self, shape: Input) -> NDArray[Any]:
        """What each grey level becomes at the model's input: one look-up instead of arithmetic."""
        levels = np.linspace(shape.low, shape.high, 256, dtype=np.float32)
        if self._input["dtype"] == np.float32:
            return levels
        scale, zero = self._input["quantization"]
        kind = np.iinfo(self._input["dtype"])
        entries = np.clip(np.rint(levels / scale) + zero, kind.min, kind.max)
        return np.asarray(entries, self._input["dtype"])

    def __call__(self, crops: Grey) -> Answers:
        faces = stretch(crops, self._least_contrast)
        answers = [self._one(face) for face in faces]
        if faces is not crops:
            faces.fill(0)
        shares, face = (np.concatenate(part) for part in zip(*answers, strict=True))
        return Answers(shares, face)

    def _one(self, crop: Grey) -> Answers:
        """A face at a time: batches are no faster, need memory for each face, and a new size of
        batch has the runtime prepare its kernels again."""
        tensor = self._table[crop][np.newaxis, ..., np.newaxis]
        self._interpreter.set_tensor(self._input["index"], tensor)
        self._interpreter.invoke()
        face = np.ones(1, np.float32) if self._face is None else self._read(self._face)[:, 1]
        return Answers(self._read(self._output), face)

    def _read(self, output: Any) -> NDArray[np.float32]:
        raw = self._interpreter.get_tensor(output["index"])
        if output["dtype"] == np.float32:
            return np.asarray(raw, np.float32)
        scale, zero = output["quantization"]
        return np.asarray((raw.astype(np.float32) - zero) * scale, np.float32)
