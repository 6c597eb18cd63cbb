#!/usr/bin/env python3
"""What `make install` gives: the files, the exported names, the SONAME, pkg-config, the examples.

The ABI check: the names that the shared library exports are exactly the functions of its headers.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("INOX_ROOT") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("INOX_BUILD") or os.path.join(ROOT, "build")
HEADERS = ["inox_status.h", "inox_text.h", "inox.h"]
passed = failed = skipped = 0


class Skip(Exception):
    """Something that the test needs is not on this machine."""


def need(tool):
    if shutil.which(tool) is None:
        raise Skip(f"no {tool}")


def out(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}"
    return done.stdout


def check(test, *arguments):
    global passed, failed, skipped
    try:
        test(*arguments)
    except Skip as why:
        skipped += 1
        print(f"skipped {test.__name__}: {why}")
    except (AssertionError, OSError) as why:
        failed += 1
        print(f"  {why}\nFAILED  {test.__name__}")
    else:
        passed += 1
        print(f"ok      {' '.join([test.__name__] + [os.path.basename(a) for a in arguments[1:]])}")


def option(name):
    options = json.loads(out("meson", "introspect", "--buildoptions", BUILD))
    return next(o["value"] for o in options if o["name"] == name)


def find(stage, name):
    place, name = os.path.split(name)
    hits = [os.path.join(folder, name) for folder, folders, files in os.walk(stage)
            if name in files + folders and (not place or os.path.basename(folder) == place)]
    assert len(hits) == 1, f"{name} is installed {len(hits)} times"
    return hits[0]


def declared(*headers):
    names = set()
    for header in headers:
        with open(os.path.join(ROOT, "include", header), encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        names |= set(re.findall(r"^INOX_API[^;]*?\b(\w+)\s*\(", text, re.M))
    return names


def exports(stage, library="libinox.so", headers=HEADERS):
    need("nm")
    library = find(stage, library)
    rows = out("nm", "-D", "--defined-only", library).split("\n")
    names = {row.split()[-1].split("@")[0] for row in rows if row.strip()}
    strange = {n for n in names if not n.startswith("inox_")}
    if option("b_sanitize") != "none":
        raise Skip("sanitizers add names of their own")
    assert not strange, f"not inox_: {sorted(strange)}"
    wanted = declared(*headers)
    missing, extra = wanted - names, names - wanted
    assert not missing, f"declared, but not in the library: {sorted(missing)}"
    assert not extra, f"exported, but in no header: {sorted(extra)}"


def text_exports(stage):
    """The small library exports tokenizers and templates, and nothing of the engine."""
    exports(stage, "libinox_text.so", HEADERS[:2])


def soname(stage):
    need("readelf")
    for name in ("libinox", "libinox_text"):
        text = out("readelf", "-d", find(stage, f"{name}.so"))
        assert re.search(rf"SONAME.*\[{name}\.so\.0\]", text), text


def hardening(stage):
    need("readelf")
    for library in (find(stage, "libinox.so"), find(stage, "libinox_text.so")):
        assert "GNU_RELRO" in out("readelf", "-lW", library)
        assert re.search(r"BIND_NOW|FLAGS.*NOW", out("readelf", "-dW", library))
        stack = [row for row in out("readelf", "-lW", library).split("\n") if "GNU_STACK" in row]
        assert stack and "RWE" not in stack[0], "the stack is executable"
    if os.path.exists(os.path.join(BUILD, "inox")):
        program = find(stage, os.path.join("bin", "inox"))
        assert "DYN" in out("readelf", "-hW", program), "the program is not position-independent"


def installed_files(stage):
    for name in ("libinox.so.0", "libinox.a", "inox.pc", "libinox_text.so.0", "libinox_text.a", "inox_text.pc", *HEADERS):
        find(stage, name)
    for name, source in (("inox", os.path.join(BUILD, "inox")),
                         ("inox.1", os.path.join(ROOT, "docs", "inox.1"))):
        if os.path.exists(source):
            assert any(name in files for _, _, files in os.walk(stage)), f"{name} is not installed"


def compiler_flags(stage, source):
    """Of the library that an example's first comment names."""
    need("pkg-config")
    with open(source, encoding="utf-8") as f:
        name = re.search(r"pkg-config --cflags --libs (\w+)", f.read())[1]
    folder = os.path.dirname(find(stage, "inox.pc"))
    environment = dict(os.environ, PKG_CONFIG_PATH=folder, PKG_CONFIG_SYSROOT_DIR=stage)
    return out("pkg-config", "--cflags", "--libs", name, env=environment).split()


def header_alone(stage):
    """A header needs nothing before it, in C and in C++."""
    for header in HEADERS:
        for language, compiler in (("c", "cc"), ("c++", "c++")):
            if shutil.which(compiler):
                out(compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-include",
                    find(stage, header), os.devnull)


def example(stage, source):
    need("cc")
    if option("b_sanitize") != "none":
        raise Skip("examples are compiled against the plain library")
    program = os.path.join(stage, "example")
    out("cc", "-std=c17", "-Wall", "-Wextra", "-Werror", source, "-o", program,
        *compiler_flags(stage, source))
    libraries = os.path.dirname(find(stage, "libinox.so"))
    state = os.path.join(stage, "state")
    text = out(program, env=dict(os.environ, LD_LIBRARY_PATH=libraries, XDG_STATE_HOME=state))
    assert text.strip(), "printed nothing"


def main():
    with tempfile.TemporaryDirectory() as stage:
        install = [sys.executable, os.path.join(ROOT, "tools", "install.py")]
        prefix = option("prefix")
        try:
            out(*install, "install", BUILD, prefix, stage)
        except AssertionError as why:
            print(f"  {why}\nFAILED  install\n0 passed, 1 failed")
            return 1
        for test in (installed_files, exports, text_exports, soname, hardening, header_alone):
            check(test, stage)
        for source in sorted(glob.glob(os.path.join(ROOT, "examples", "*.c"))):
            check(example, stage, source)
        shutil.rmtree(os.path.join(stage, "state"), ignore_errors=True)
        if os.path.exists(os.path.join(stage, "example")):
            os.remove(os.path.join(stage, "example"))

        def uninstall(where):
            out(*install, "uninstall", BUILD, prefix, where)
            left = [f for _, _, files in os.walk(where) for f in files]
            assert not left, f"left behind: {left}"
        check(uninstall, stage)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
