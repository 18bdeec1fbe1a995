"""The model runtime: ONNX sessions, batcher, protocol, and the HTTP server of the hot path."""
