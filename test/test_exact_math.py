#!/usr/bin/env python3
"""The vectors of each instruction set against the reference where arithmetic is hardest (test/exact_math.c)."""
import os
import platform
import shlex
import shutil
import subprocess

import wasm
from support import ROOT, check, main, path, skip, test, version, write

AVX2 = ["-mavx2", "-mfma", "-mf16c"]
AVX512 = [*AVX2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"]
SIMD128 = ["-msimd128"]
RELAXED = [*SIMD128, "-mrelaxed-simd"]
SOURCES = ["src/num/scalar/ref.c", "src/base/random.c"]


def build(name, cc, flags, *sources):
    """A program of these sources and the reference."""
    output = path(name)
    files = [s if os.path.isabs(s) else os.path.join(ROOT, s) for s in (*sources, *SOURCES)]
    done = subprocess.run([*cc, "-std=c17", "-O2", f"-I{ROOT}/src", f"-I{ROOT}/include", *flags,
                           "-ffp-contract=off", *files, "-o", output], capture_output=True, text=True, check=False)
    return output if check(done.returncode == 0, name, "does not build:", done.stderr) else None


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def compare(name, header, cc, flags, engines):
    program = build(name, cc, [*flags, "-include", f"num/scalar/{header}_math.h"], "test/exact_math.c")
    for label, engine in engines.items() if program else ():
        done = run([*engine, program])
        if label == wasm.UNFUSED:
            check(done.returncode == 1, label, "is fused, or its errors go unnoticed:", done.stdout, done.stderr)
            continue
        check(done.returncode == 0 and " 0 differ;" in done.stdout, label, done.stdout, done.stderr)
        print(f"  {label}: {done.stdout.strip()}", flush=True)


@test
def this_machine():
    if platform.machine() != "x86_64":
        skip("this processor is not x86-64")
    cc = shlex.split(os.environ.get("CC", "cc"))
    present = version()["isa_present"]
    for name, flags in (("avx2", AVX2), ("avx512", AVX512)):
        if name in present:
            compare(name, "x86_" + name, cc, flags, {name: []})


@test
def aarch64():
    cc, engine = ["aarch64-linux-gnu-gcc", "-static"], ["qemu-aarch64"]
    for program in (cc[0], engine[0]):
        if shutil.which(program) is None:
            skip(f"{program} is not installed")
    compare("neon", "arm_neon", cc, [], {"neon": engine})


@test
def simd128():
    compare("simd128", "wasm_simd128", wasm.compiler(), SIMD128, wasm.engines())


@test
def relaxed():
    compare("relaxed", "wasm_relaxed", wasm.compiler(), RELAXED, wasm.engines(relaxed=True))


# What an engine's f32x4.relaxed_madd may be, as a macro over vectors of four.
MADDS = {
    "rounds the product": "((a) * (b) + (c))",
    "rounds twice": "CONVERT(CONVERT(a, f64x4) * CONVERT(b, f64x4) + CONVERT(c, f64x4), f32x4)",
    "loses subnormal results": "flushed(__builtin_wasm_relaxed_madd_f32x4(a, b, c))",
}


@test
def relaxed_without_fma():
    """An engine whose relaxed_madd does not round once must not be taken for one that does."""
    cc, engines = wasm.compiler(), wasm.engines(relaxed=True)
    program = write("asks.c", '#include "num/scalar/wasm_relaxed.h"\n'
                              'int main(void)\n{\n    return ix_wasm_madd_is_fused() ? 10 : 11;\n}\n')
    asks = [program, "src/num/scalar/wasm_relaxed.c"]
    fused = build("fused", cc, RELAXED, *asks)
    for name, engine in engines.items() if fused else ():
        check(run([*engine, fused]).returncode == (11 if name == wasm.UNFUSED else 10), name, "is misjudged")
    for number, (what, expression) in enumerate(MADDS.items()):
        header = write(f"madd{number}.h", f"""
typedef float f32x4 __attribute__((vector_size(16)));
typedef int i32x4 __attribute__((vector_size(16)));
typedef double f64x4 __attribute__((vector_size(32)));
#define CONVERT(v, type) __builtin_convertvector((v), type)
static inline __attribute__((unused)) f32x4 flushed(f32x4 x)
{{
    i32x4 small = ((i32x4)x & 0x7f800000) == 0;
    return (f32x4)((i32x4)x & ~(small & 0x7fffffff));
}}
static inline f32x4 other_madd(f32x4 a, f32x4 b, f32x4 c)
{{
    return {expression};
}}
#define __builtin_wasm_relaxed_madd_f32x4 other_madd
""")
        other = build(f"other{number}", cc, [*RELAXED, "-include", header], *asks)
        if other:
            check(run([*engines["node"], other]).returncode == 11, "a relaxed_madd that", what, "passes for fused")


main()
