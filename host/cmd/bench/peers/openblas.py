"""OpenBLAS, from the wheel scipy-openblas32, through its C interface."""
import ctypes
import glob
import os

import numpy as np
import scipy_openblas32 as wheel

import peer

lib = ctypes.CDLL(glob.glob(os.path.join(wheel.get_lib_dir(), "libscipy_openblas.*"))[0])
lib.scipy_openblas_get_corename.restype = ctypes.c_char_p
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112


def sgemm(r):
    m, n, k, form = r["m"], r["n"], r["k"], r["form"]
    a = np.full((k, m) if form[0] == "t" else (m, k), 0.01, np.float32)
    b = np.full((n, k) if form[1] == "t" else (k, n), 0.01, np.float32)
    c = np.zeros((m, n), np.float32)
    pointers = [x.ctypes.data_as(ctypes.c_void_p) for x in (a, b, c)]
    flags = [TRANSPOSED if f == "t" else PLAIN for f in form]

    def run():
        lib.scipy_openblas_set_num_threads(r["threads"])
        lib.scipy_cblas_sgemm(
            ROW_MAJOR, *flags, m, n, k, ctypes.c_float(1), pointers[0], a.shape[1], pointers[1], b.shape[1],
            ctypes.c_float(0), pointers[2], n)
        return a, b, c  # alive as long as the function

    return run


version = wheel.get_openblas_config().split()[1]
peer.serve({"sgemm": sgemm}, f"OpenBLAS {version} ({lib.scipy_openblas_get_corename().decode()})")
