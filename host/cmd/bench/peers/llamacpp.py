"""llama.cpp on the CPU, by its Python binding: greedy continuations."""
import llama_cpp
import numpy as np

import peer


@llama_cpp.llama_log_callback
def silent(level, text, data):
    pass


def context(r):
    model = llama_cpp.llama_model_load_from_file(r["file"].encode(), llama_cpp.llama_model_default_params())
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = params.n_batch = r["length"]
    params.n_threads = params.n_threads_batch = r["threads"]
    return llama_cpp.llama_init_from_model(model, params)


def generate(r):
    """A prompt of the ids 0 to m-1 and n tokens after it."""
    c = context(r)

    def following(ids):
        tokens = (llama_cpp.llama_token * len(ids))(*ids)
        if llama_cpp.llama_decode(c, llama_cpp.llama_batch_get_one(tokens, len(ids))):
            raise RuntimeError("llama_decode failed")
        return int(np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(c, -1), (r["vocab"],)).argmax())

    def run():
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(c), True)
        ids = range(r["m"])
        for _ in range(r["n"]):
            ids = [following(ids)]

    return run


llama_cpp.llama_log_set(silent, None)
peer.serve({"generate": generate}, f"llama.cpp (llama-cpp-python {llama_cpp.__version__})")
