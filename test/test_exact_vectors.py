#!/usr/bin/env python3
"""exact-vectors gives the hashes of data/exact_vectors.txt here, and on every machine that an emulator offers.

The file changes only with the program's cases (docs: test/exact_vectors.c) or with the contract.
INOX_UPDATE=1 writes it anew from this machine.
"""
import os
import re
import shutil
import subprocess
import sys

import wasm
from support import BUILD, LONG, ROOT, check, main, path, read, skip, test

EXPECTED = os.path.join(ROOT, "test", "data", "exact_vectors.txt")
LINE = re.compile(r"(.*?) +(\d+) kernels +(\d+) values  ([0-9a-f]+)")


def result(command):
    """The program's lines without the number of kernels, which differs from machine to machine."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    check(done.returncode == 0, command, "gave", done.returncode, done.stdout[-2000:], done.stderr)
    lines = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
    return [f"{m[1]}, {m[3]} values: {m[4]}" for m in lines if m], [int(m[2]) for m in lines if m]


def compare(label, command):
    """The number of kernels that were compared with the reference."""
    got, kernels = result(command)
    want = read(EXPECTED).decode().splitlines()
    for a, b in zip(want, got):
        check(a == b, label, "gave", b, "not", a)
    check(len(got) == len(want), label, "gave", len(got), "lines, not", len(want))
    if got:
        print(f"  {label}: {kernels[-1]} kernels, {got[-1]}", flush=True)
    return kernels[-1] if kernels else 0


@test
def this_machine():
    program = os.path.join(BUILD, "test", "exact-vectors")
    if os.environ.get("INOX_UPDATE") == "1":
        lines, _ = result([program])
        with open(EXPECTED, "w", encoding="ascii") as f:
            f.write("".join(line + "\n" for line in lines))
    compare("this machine", [program])


def no_stray_fma(name, objects, disassembler, fused, scalar):
    """Rule C1: a compiler fuses no product and sum by itself.  Only the vector kernels of the machine's own files fuse,
    and they do it in vectors."""
    if shutil.which(disassembler) is None:
        print(f"  {name}: {disassembler} is not installed, stray fma are not looked for")
        return
    for file in sorted(os.listdir(objects)):
        listing = subprocess.run([disassembler, "-d", "--no-show-raw-insn", os.path.join(objects, file)],
                                 capture_output=True, text=True, check=True).stdout
        ours = scalar if "_arm_" in file else fused
        found = re.findall(rf"\t({ours})\t.*", listing)
        check(not found, name, file, "has", len(found), "fused instructions that nobody wrote:", found[:3])


def build(name, compiler, *arguments):
    """The program, by another compiler; None where that fails."""
    output = path(name)
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "build_exact.py"), output,
                           "--cc", " ".join(compiler), "-O1", *arguments], capture_output=True, text=True, check=False)
    return output if check(done.returncode == 0, name, "does not build:", done.stderr) else None


def emulated(name, compiler, emulator, processors=("",)):
    """`processors`: arguments of the emulator, or "", for each of which the program runs once.  Returns the folder of
    the objects."""
    for program in (compiler[0], emulator[0]):
        if shutil.which(program) is None:
            skip(f"{program} is not installed")
    program = build(name, compiler)
    for processor in processors if program else ():
        compare(f"{name} {processor}".rstrip(), [*emulator, *processor.split(), program])
    return path(name) + ".o"


@test
def aarch64():
    # Every instruction set, and a processor that has the first of them only.
    objects = emulated("aarch64", ["aarch64-linux-gnu-gcc", "-static"], ["qemu-aarch64"],
                       processors=("-cpu max", "-cpu cortex-a53"))
    scalar = "fn?madd|fn?msub"
    no_stray_fma("aarch64", objects, "aarch64-linux-gnu-objdump", "fml[as]|" + scalar, scalar)


@test
def s390x():
    # Big-endian, the reference only.  gcc there computes floats in double by default; "fast" means float.
    objects = emulated("s390x", ["s390x-linux-gnu-gcc", "-static", "-fexcess-precision=fast"], ["qemu-s390x"])
    no_stray_fma("s390x", objects, "s390x-linux-gnu-objdump", "m[as][ed]br?|[vw]fn?m[as](?:[sdx]b)?", "(?!)")


# node is told to allow relaxed SIMD only where a module is to have it.
def in_wasm(best):
    """A module with the sets up to `best`, under each engine: {its name: number of kernels}."""
    relaxed = best == "relaxed"
    compiler, engines = wasm.compiler(), wasm.engines(relaxed)
    program = build("wasm-" + best, compiler, "--wasm", best)
    return {name: compare(f"wasm-{best}, {name}", [*engine, program]) for name, engine in engines.items() if program}


@test
def wasm_reference():
    for name, kernels in in_wasm("ref").items():
        check(kernels == 0, name, kernels)


@test
def wasm_simd128():
    if not LONG and wasm.flags(relaxed=True):
        skip("the module with relaxed SIMD has these kernels too; INOX_TEST_LONG=1 builds both")
    for name, kernels in in_wasm("simd128").items():
        check(kernels > 0, name, kernels)


@test
def wasm_relaxed():
    found = in_wasm("relaxed")
    for name, kernels in found.items():
        if name == wasm.UNFUSED:  # there the set `relaxed` is not present
            check(0 < kernels < found["node"], name, kernels, found)
        else:
            check(kernels == found["node"], name, kernels, found)


main()
