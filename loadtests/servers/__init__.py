"""What the gateway is measured beside. Each is a program of its own: `python -m loadtests.servers.NAME PORT [MODEL.onnx]`."""
