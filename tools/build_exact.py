#!/usr/bin/env python3
"""Builds exact-vectors (test/exact_vectors.c) with any C compiler:  build_exact.py OUTPUT [--cc "CC ARGS"] [ARGS...]

Only the compiler and its C library are needed, so that a cross compiler suffices:

    tools/build_exact.py build-exact/aarch64 --cc "aarch64-linux-gnu-gcc -static" -O2
    qemu-aarch64 build-exact/aarch64

Kernels of the compiler's processor are built in, each file with the flags of its instruction set as in
src/meson.build.  Objects are kept beside the output: OUTPUT.o/.
"""
import argparse
import glob
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

AVX2 = ["-mavx2", "-mfma", "-mf16c"]
AVX512 = AVX2 + ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprfchw"]
AVX512VNNI = AVX512 + ["-mavx512vnni"]
# Longest beginning of a kernel file's name -> flags of its set (src/meson.build).
SETS = {
    "x86_64": {
        "x86_avx2": AVX2,
        "x86_avxvnni": AVX2 + ["-mavxvnni"],
        "x86_avx512": AVX512,
        "x86_avx512vnni": AVX512VNNI,
        "x86_avxvnni": AVX2 + ["-mavxvnni"],
        "x86_amx": AVX512VNNI,
        "x86_amx": AVX512 + ["-mavx512vnni"],
    },
    "aarch64": {
        "arm_neon": [],
        "arm_dotprod": ["-march=armv8.2-a+dotprod"],
        "arm_i8mm": ["-march=armv8.2-a+dotprod+i8mm"],
    },
    "wasm32": {
        "wasm_simd128": ["-msimd128"],
        "wasm_relaxed": ["-msimd128", "-mrelaxed-simd"],
    },
}
# A module of WebAssembly is refused as a whole where the engine does not know one instruction of it.
WASM = ["ref", "simd128", "relaxed"]
OF_ONE_MACHINE = ("x86_", "arm_", "wasm_")
BASE = ["alloc.c", "cpu.c", "fpenv.c", "random.c", "status.c"]


def sources(sets):
    """(path, flags) of every file."""
    found = [(os.path.join(ROOT, "src/base", name), []) for name in BASE]
    found += [(os.path.join(ROOT, "test", name), []) for name in ("exact_vectors.c", "exact_os.c")]
    for path in sorted(glob.glob(os.path.join(ROOT, "src/num/**/*.c"), recursive=True)):
        name = os.path.basename(path)
        if name == "contract.c":  # includes what Meson generates
            continue
        if not name.startswith(OF_ONE_MACHINE):
            found.append((path, []))
            continue
        fitting = [s for s in sets if name.startswith(s)]
        if fitting:
            found.append((path, sets[max(fitting, key=len)]))
    return found


def main():
    parser = argparse.ArgumentParser(usage="build_exact.py OUTPUT [--cc 'CC ARGS'] [-j N] [ARGS...]")
    parser.add_argument("output")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("--wasm", choices=WASM, default=WASM[-1], help="the last set that a module has")
    options, more = parser.parse_known_args()
    cc = shlex.split(options.cc)
    target = subprocess.run([*cc, *more, "-dumpmachine"], capture_output=True, text=True, check=True)
    machine = target.stdout.split("-")[0].strip()
    objects = options.output + ".o"
    os.makedirs(objects, exist_ok=True)
    sets = dict(SETS.get(machine, {}))
    defines = []
    if machine == "wasm32":
        sets = {f"wasm_{name}": sets[f"wasm_{name}"] for name in WASM[1:WASM.index(options.wasm) + 1]}
        defines = ["-DIX_" + name.upper() for name in sets]
    common = ["-std=c17", "-D_POSIX_C_SOURCE=200809L", "-I" + os.path.join(ROOT, "src"),
              "-I" + os.path.join(ROOT, "include"), *defines, *more]

    def compile_one(item):
        path, flags = item
        out = os.path.join(objects, os.path.relpath(path, ROOT).replace("/", "_")[:-2] + ".o")
        command = [*cc, *common, *flags, "-ffp-contract=off", "-c", path, "-o", out]
        return out, subprocess.run(command, check=False).returncode

    with ThreadPoolExecutor(options.j) as pool:
        built = list(pool.map(compile_one, sources(sets)))
    if any(code for _, code in built):
        return 1
    return subprocess.run([*cc, *more, *(out for out, _ in built), "-o", options.output], check=False).returncode


sys.exit(main())
