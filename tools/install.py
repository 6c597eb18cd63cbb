#!/usr/bin/env python3
"""make install and make uninstall.  install.py install|uninstall BUILD PREFIX DESTDIR

Both go by Meson's own list of what is installed where, so that uninstall removes what install made,
also from another clone of the same version.
"""
import json
import os
import subprocess
import sys

MESON = os.environ.get("MESON", "meson")
NINJA = os.environ.get("NINJA", "ninja")


def introspect(build, what):
    return json.loads(subprocess.run([MESON, "introspect", what, build], check=True,
                                     stdout=subprocess.PIPE).stdout)


def set_prefix(build, prefix):
    """Only if it differs: configuring makes ninja regenerate everything."""
    options = {o["name"]: o["value"] for o in introspect(build, "--buildoptions")}
    if options["prefix"] != prefix:
        subprocess.run([MESON, "configure", build, "--prefix", prefix], check=True)
        subprocess.run([NINJA, "-C", build, "build.ninja"], check=True, stdout=subprocess.DEVNULL)


def install(build, destdir):
    command = [MESON, "install", "-C", build, "--no-rebuild"]
    if destdir:
        command += ["--destdir", os.path.abspath(destdir)]
    subprocess.run(command, check=True)
    if not destdir and os.geteuid() == 0:  # else a program linked with -linox does not find it
        subprocess.run(["/sbin/ldconfig"], check=False)


def uninstall(build, destdir):
    root = os.path.abspath(destdir) if destdir else ""
    for target in sorted(introspect(build, "--installed").values()):
        path = root + target
        if os.path.lexists(path):
            os.remove(path)
            print(f"removed {path}")
        else:
            print(f"not there: {path}")


def main():
    action, build, prefix, destdir = sys.argv[1:5]
    set_prefix(build, os.path.abspath(prefix))
    if action == "install":
        install(build, destdir)
    else:
        uninstall(build, destdir)


try:
    main()
except subprocess.CalledProcessError as failure:
    sys.exit(failure.returncode)
except OSError as failure:
    sys.exit(f"{failure.filename}: {failure.strerror}")
