"""dlib's face net, which describes faces, from its own format to ONNX.

Its file holds one tensor for each layer, the first layer first: a header (a version and four
sizes) and raw float32. The sizes follow from the net's shape, so each is looked for in turn.
As ONNX it runs without dlib, in a fifteenth of its time, and without holding Python's lock.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from media.net_files.protobuf import write_bytes, write_int, write_message

Weights = npt.NDArray[np.float32]

CHIP_PX, DESCRIPTOR_SIZE = 150, 128
FIRST_SIDE = 35  # px, after the first convolution and pooling
# Channels, blocks, and whether the first of them halves the side.
STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
# onnx.proto: numbers of fields and types.
IR_VERSION, OPSET = 8, 13
FLOAT, INT64, INTS = 1, 7, 7


def convert_net(dat: bytes) -> bytes:
    """The net as an ONNX file. Raises ValueError when the file is of another net."""
    net = _Graph(_Tensors(dat))
    x = net.add("Relu", net.convolve("chip", 3, 32, kernel=7, stride=2))
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    side, channels = FIRST_SIDE, 32
    for wider, blocks, halves in STAGES:
        for number in range(blocks):
            x, side = net.add_block(x, channels, wider, side, halves=halves and number == 0)
            channels = wider
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    last = net.store(net.tensors.take(channels, DESCRIPTOR_SIZE))
    net.add_as("face", "MatMul", x, last)
    return net.write()


class _Tensors:
    """The tensors of a dlib file, in their order."""

    def __init__(self, dat: bytes) -> None:
        self._dat, self._at = dat, 0

    def take(self, *shape: int) -> Weights:
        sizes = (*shape, 1, 1, 1)[:4]
        header = b"".join(_encode_dlib_int(value) for value in (2, *sizes))
        start = self._dat.index(header, self._at) + len(header)
        count = int(np.prod(shape))
        self._at = start + 4 * count
        return np.frombuffer(self._dat, "<f4", count, start).reshape(shape)


def _encode_dlib_int(value: int) -> bytes:
    body = value.to_bytes((value.bit_length() + 7) // 8, "little")
    return bytes([len(body)]) + body


class _Graph:
    """An ONNX graph in the making; each method adds nodes and returns their output's name."""

    def __init__(self, tensors: _Tensors) -> None:
        self.tensors = tensors
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []

    def add(self, operator: str, *inputs: str, **attributes: list[int]) -> str:
        return self.add_as(f"n{len(self._nodes)}", operator, *inputs, **attributes)

    def add_as(self, output: str, operator: str, *inputs: str, **attributes: list[int]) -> str:
        fields = [write_bytes(1, name) for name in inputs]
        fields += [write_bytes(2, output), write_bytes(4, operator)]
        for name, values in attributes.items():
            numbers = [write_int(8, value) for value in values]
            fields.append(write_message(5, [write_bytes(1, name), *numbers, write_int(20, INTS)]))
        self._nodes.append(write_message(1, fields))
        return output

    def store(self, values: npt.NDArray[Any]) -> str:
        """Weights or other constants of the net."""
        name = f"w{len(self._weights)}"
        kind = FLOAT if values.dtype == np.float32 else INT64
        sizes = [write_int(1, size) for size in values.shape]
        rest = [write_int(2, kind), write_bytes(8, name), write_bytes(9, values.tobytes())]
        self._weights.append(write_message(5, [*sizes, *rest]))
        return name

    def convolve(self, x: str, channels: int, wider: int, *, kernel: int, stride: int) -> str:
        """A convolution with the scaling that dlib puts behind it folded in."""
        weights = self.tensors.take(wider * channels * kernel**2 + wider)
        scale, shift = self.tensors.take(2 * wider).reshape(2, wider)
        filters = weights[:-wider].reshape(wider, channels, kernel, kernel)
        bias = weights[-wider:] * scale + shift
        padding = kernel // 2 if stride == 1 else 0
        return self.add(
            "Conv",
            x,
            self.store((filters * scale[:, None, None, None]).astype(np.float32)),
            self.store(bias.astype(np.float32)),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[padding] * 4,
        )

    def add_block(
        self, x: str, channels: int, wider: int, side: int, *, halves: bool
    ) -> tuple[str, int]:
        """Two convolutions beside a shortcut; the output and its side in px."""
        deep = self.add("Relu", self.convolve(x, channels, wider, kernel=3, stride=1 + halves))
        deep = self.convolve(deep, wider, wider, kernel=3, stride=1)
        deep_side = short_side = side
        if halves:
            x = self.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            deep_side, short_side = (side - 3) // 2 + 1, side // 2
        larger = max(deep_side, short_side)
        # dlib adds pictures of unequal sizes as if the smaller one went on with zeros.
        deep = self._pad(deep, channels=0, pixels=larger - deep_side)
        x = self._pad(x, channels=wider - channels, pixels=larger - short_side)
        return self.add("Relu", self.add("Add", deep, x)), larger

    def _pad(self, x: str, *, channels: int, pixels: int) -> str:
        if not channels and not pixels:
            return x
        return self.add("Pad", x, self.store(np.array([0] * 5 + [channels, pixels, pixels])))

    def write(self) -> bytes:
        chip = _describe_value(11, "chip", ["n", 3, CHIP_PX, CHIP_PX])
        face = _describe_value(12, "face", ["n", DESCRIPTOR_SIZE])
        graph = [*self._nodes, write_bytes(2, "face"), *self._weights, chip, face]
        opset = write_message(8, [write_int(2, OPSET)])
        return write_int(1, IR_VERSION) + opset + write_message(7, graph)


def _describe_value(number: int, name: str, sizes: list[int | str]) -> bytes:
    """An input or output of floats; a size given as a word is open."""
    dimensions = [
        write_message(1, [write_bytes(2, size) if isinstance(size, str) else write_int(1, size)])
        for size in sizes
    ]
    tensor = write_message(1, [write_int(1, FLOAT), write_message(2, dimensions)])
    return write_message(number, [write_bytes(1, name), write_bytes(2, tensor)])
