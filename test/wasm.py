"""The compiler and the engine for tests in WebAssembly."""
import os
import platform
import shutil
import subprocess

from support import ROOT, path, read, skip, write

CC = ["clang-16", "--target=wasm32-wasi"]
PACKAGES = "clang-16 lld-16 libclang-rt-16-dev-wasm32 wasi-libc"
RELAXED_FLAG = "--experimental-wasm-relaxed-simd" # up to node 20
UNFUSED = "node without fma"


def compiler():
    """The command; the test is skipped where a program cannot be made."""
    if shutil.which(CC[0]) is None:
        skip(f"{CC[0]} is not installed (packages: {PACKAGES})")
    source = write("nothing.c", "int main(void) { return 0; }\n")
    if subprocess.run([*CC, source, "-o", path("nothing.wasm")], capture_output=True, check=False).returncode:
        skip(f"{' '.join(CC)} does not link a program (packages: {PACKAGES})")
    return CC


# A function of three v128.const, f32x4.relaxed_madd.
RELAXED_MODULE = bytes([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 61, 1, 59, 0,
                        *(3 * [253, 12, *(16 * [0])]), 253, 133, 2, 11])


def flags(relaxed):
    """Those that node needs; None where it cannot run such a module."""
    if not relaxed:
        return ["--no-warnings"]
    options = subprocess.run(["node", "--v8-options"], capture_output=True, text=True, check=False).stdout
    found = ["--no-warnings", *([RELAXED_FLAG] if RELAXED_FLAG in options else [])]
    asks = f"process.exitCode = WebAssembly.validate(new Uint8Array({list(RELAXED_MODULE)})) ? 0 : 1"
    done = subprocess.run(["node", *found, "-e", asks], capture_output=True, check=False)
    return found if done.returncode == 0 else None


def engines(relaxed=False):
    """Name -> command that runs a program; the test is skipped where there is none.

    node compiles twice: at once and simply, then again what runs often.  On x86-64 it can be told to leave the
    processor's fma alone: then its relaxed multiply-add rounds twice.
    """
    if shutil.which("node") is None:
        skip("node is not installed")
    found = flags(relaxed)
    if found is None:
        skip("this node has no relaxed SIMD")
    if relaxed and platform.machine() == "x86_64" and " fma " not in read("/proc/cpuinfo").decode():
        skip("this processor has no fma")
    kinds = {"node": [], "node's first compiler": ["--liftoff-only"]}
    if relaxed and platform.machine() == "x86_64":
        kinds[UNFUSED] = ["--no-enable-fma3"]
    return {name: ["node", *found, *more, os.path.join(ROOT, "test", "run_wasm.mjs")] for name, more in kinds.items()}
