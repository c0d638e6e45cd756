"""Run by file path: serves one GGUF with llama.cpp's server, says where on stdout, and ends when stdin closes.

A process of its own, so that an abort in native code does not take the tests with it; and tied to stdin, so that it
never outlives them. One thread: the matrices are tiny, and llama.cpp's threads wait busily.
"""

from __future__ import annotations

import sys

import xllamacpp


def serve(model: str, window: int, slots: int) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel, params.port = window * slots, slots, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity = 1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
