"""The nets that this process runs on onnxruntime: fetched, checked, loaded once."""
