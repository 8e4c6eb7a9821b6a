"""python3 make.py OUT [GROUP...]: writes OUT/GROUP/NAME.st for every case of the groups, all where none is named."""

import importlib
import pathlib
import sys

import core

out = pathlib.Path(sys.argv[1])
groups = sys.argv[2:] or sorted(p.stem for p in (pathlib.Path(__file__).parent / "groups").glob("*.py"))
for group in groups:
    importlib.import_module(f"groups.{group}")
for kind, case in core.CASES:
    try:
        about, arrays = core.make(kind, case)
    except Exception as error:
        raise SystemExit(f"{case['name']}: {type(error).__name__}: {error}")
    folder = out / case["group"]
    folder.mkdir(parents=True, exist_ok=True)
    core.write(folder / f"{case['name']}.st", about, arrays)
print(f"{len(core.CASES)} cases in {out}")
