"""Writes the messages about wrong/*.yaml anew.  They are the program's own words: read the difference before it is
committed."""
import os
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
program = here.parents[1] / os.environ.get("BUILD", "build") / "tests" / "lab" / "test_lab_wrong"
if not program.exists():
    sys.exit(f"{program} is not built; run make first")
sys.exit(subprocess.run([program, here / "wrong", "--write"]).returncode)
