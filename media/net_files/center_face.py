"""CenterFace, which finds faces, made fit for pictures of any size.

As exported it takes ten pictures of 32 x 32 and lists its weights among its inputs. With open
sizes it takes any picture; without weights among the inputs onnxruntime folds the batch norms
into the convolutions, which halves its time.
"""

from media.net_files.protobuf import find_field, read_fields, write_bytes, write_message

PICTURE = b"input.1"
# Numbers of fields in onnx.proto.
GRAPH = 7
INPUT, OUTPUT = 11, 12
NAME, TYPE = 1, 2
TENSOR_TYPE, SHAPE, DIMENSION, DIMENSION_NAME = 1, 2, 1, 2
CHANNELS = 1  # the only dimension that keeps its size


def open_sizes(model: bytes) -> bytes:
    """The same net for pictures of any number and size."""
    return b"".join(
        write_bytes(GRAPH, _open_graph(field.content)) if field.number == GRAPH else field.whole
        for field in read_fields(model)
    )


def _open_graph(graph: bytes) -> bytes:
    out = []
    for field in read_fields(graph):
        if field.number not in (INPUT, OUTPUT):
            out.append(field.whole)
        elif field.number == OUTPUT or find_field(field.content, NAME) == PICTURE:
            out.append(write_bytes(field.number, _open_value(field.content)))
    return b"".join(out)


def _open_value(value: bytes) -> bytes:
    return b"".join(
        write_bytes(TYPE, _open_type(field.content)) if field.number == TYPE else field.whole
        for field in read_fields(value)
    )


def _open_type(type_: bytes) -> bytes:
    """A tensor's type whose sizes have no numbers, but for the channels."""
    tensor = find_field(type_, TENSOR_TYPE)
    sizes = [field.whole for field in read_fields(find_field(tensor, SHAPE))]
    unknown = write_message(DIMENSION, [write_bytes(DIMENSION_NAME, "")])
    opened = [size if at == CHANNELS else unknown for at, size in enumerate(sizes)]
    fields = [
        write_message(SHAPE, opened) if field.number == SHAPE else field.whole
        for field in read_fields(tensor)
    ]
    return write_message(TENSOR_TYPE, fields)
