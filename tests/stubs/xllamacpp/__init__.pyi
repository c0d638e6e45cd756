class CommonParamsModel:
    path: str

class CpuParams:
    n_threads: int

class CommonParams:
    model: CommonParamsModel
    n_ctx: int
    n_parallel: int
    port: int
    verbosity: int
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    def __init__(self) -> None: ...

class Server:
    listening_address: str
    def __init__(self, params: CommonParams) -> None: ...
