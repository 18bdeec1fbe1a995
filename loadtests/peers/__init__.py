"""Other model servers, each as its own documentation says to run it: `python -m loadtests.peers.NAME PORT MODEL.onnx`.

Each runs in an environment of its own, which `loadtests.bench_peers` makes, and can import nothing of ours but `common`.
"""
