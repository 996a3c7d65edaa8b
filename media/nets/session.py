"""Open a net so that it costs one core and little memory. Imports onnxruntime: 40 MB."""

from pathlib import Path

import onnxruntime


def open_net(path: Path) -> onnxruntime.InferenceSession:
    """Blocking, 0.1 s. Raises onnxruntime's own errors for a file that is no net."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # +100 MB for a quarter of the time
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
