#!/usr/bin/env python3
"""docs/OPERATORS.md is what tools/make_operators_page.py would write."""
import pathlib
import subprocess
import sys

TOOL = pathlib.Path(__file__).resolve().parent.parent / "tools/make_operators_page.py"
status = subprocess.run([sys.executable, str(TOOL), "--check"]).returncode
print("1 passed, 0 failed" if status == 0 else "0 passed, 1 failed")
sys.exit(status)
