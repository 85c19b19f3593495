"""From trained weights to the TFLite files that devices run: full-integer int8, and float16.

PyTorch to TFLite by litert-torch, then static int8, or weights of half precision, by
ai-edge-quantizer: both are the makers' own and kept up. Input and output of the int8 file are int8
too, and the batch may be resized.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.network import INPUT_SIZE, MiniXception

CALIBRATION_FACES = 500

HALF = [
    {
        "regex": ".*",
        "operation": "*",
        "algorithm_key": "float_casting",
        "op_config": {
            "weight_tensor_config": {
                "num_bits": 16,
                "symmetric": True,
                "granularity": "TENSORWISE",
                "dtype": "FLOAT",
            },
            "compute_precision": "FLOAT",
            "explicit_dequantize": True,
            "skip_checks": False,
            "min_weight_elements": 0,
        },
    }
]
"""The quantizer's recipe for half-precision weights, of which it has none ready-made."""


class Probabilities(nn.Module):
    """The network with what a pack promises: shares of the labels, and whether it is a face.

    The last convolution is cut in two, because slicing its result would fix the batch to one; so
    would a single plane, hence a second one of nought beside that of the face: the softmax of both
    is the sigmoid of the one.
    """

    def __init__(self, network: MiniXception) -> None:
        super().__init__()
        self.body = nn.Sequential(network.stem, network.blocks)
        weight, bias = network.head.weight, network.head.bias
        assert bias is not None  # MiniXception's head has one
        self.labels = _convolution(weight[:-1], bias[:-1])
        self.face = _convolution(
            torch.cat([weight[-1:] * 0, weight[-1:]]), torch.cat([bias[-1:] * 0, bias[-1:]])
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(x)
        labels, face = self.labels(features).mean((2, 3)), self.face(features).mean((2, 3))
        return torch.softmax(labels, dim=1), torch.softmax(face, dim=1)


def _convolution(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    part = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
    part.weight, part.bias = nn.Parameter(weight), nn.Parameter(bias)
    return part


def to_float(network: MiniXception) -> bytes:
    """A float32 TFLite file taking (1, 48, 48, 1) in -1..1 and giving (1, labels) and (1, 2)."""
    import litert_torch

    whole = litert_torch.to_channel_last_io(Probabilities(network.eval()), args=[0]).eval()
    example = (torch.zeros(1, INPUT_SIZE, INPUT_SIZE, 1),)
    with _quiet(), _written_file() as path:
        litert_torch.convert(whole, example).export(str(path))
        return path.read_bytes()


def to_int8(float_model: bytes, faces: NDArray[np.uint8]) -> bytes:
    """The int8 file; `faces` (N, 48, 48) show the quantizer the range of every tensor."""
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import calibrator, quantizer, recipe, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    signatures = Interpreter(model_content=float_model).get_signature_list()
    name, shape = next(iter(signatures.items()))
    inputs = faces[:, np.newaxis, :, :, np.newaxis].astype(np.float32) / 127.5 - 1
    samples = [{shape["inputs"][0]: face} for face in inputs]
    with _quiet():
        rules = recipe_manager.RecipeManager()
        rules.load_quantization_recipe(recipe.static_wi8_ai8())
        # The default is a moving average of each face's extremes, which cuts off the strongest
        # logits: sure answers then look like ties. The extremes over all faces cut off nothing.
        ranges = calibrator.Calibrator(float_model, qsv_update_func=qsv_utils.min_max_update)
        ranges.calibrate({name: samples}, rules)
        int8_quantizer = quantizer.Quantizer(float_model)
        int8_quantizer.load_quantization_recipe(recipe.static_wi8_ai8())
        result = int8_quantizer.quantize(ranges.get_model_qsvs())
    return _rename_tensors(bytes(result.quantized_model))


def to_float16(float_model: bytes) -> bytes:
    """The float32 file with its weights in half precision; runtimes compute in float32."""
    from ai_edge_quantizer import quantizer

    float16_quantizer = quantizer.Quantizer(float_model)
    float16_quantizer.load_quantization_recipe(HALF)
    with _quiet():
        return _rename_tensors(bytes(float16_quantizer.quantize().quantized_model))


def _rename_tensors(model: bytes) -> bytes:
    """The same file with short names for its tensors: the converter's take over 40 kB.

    The quantizer lays large weights behind the file's tables, where packing it again would lose
    them: they are taken in.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    for graph in content.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            tensor.name = f"t{number}"
    for buffer in content.buffers:
        if buffer.offset:
            data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.data, buffer.offset, buffer.size = data, 0, 0
    builder = flatbuffers.Builder(len(model))
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@contextlib.contextmanager
def _written_file() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "model.tflite"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The converters narrate on both streams; data on stdout is ours alone."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
