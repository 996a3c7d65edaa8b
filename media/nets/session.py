"""Open a net so that it costs one core and little memory. Imports onnxruntime: 40 MB."""

import os
from pathlib import Path

# Since 1.29 its Linux builds report each model to their maker unless told not to before the import
# (microsoft/onnxruntime#27379). A server of faces calls nobody whom its operator has not named.
os.putenv("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime  # noqa: E402  after what it reads of the environment


def open_net(path: Path) -> onnxruntime.InferenceSession:
    """Blocking, 0.1 s. Raises onnxruntime's own errors for a file that is no net."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # +100 MB for a quarter of the time
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
