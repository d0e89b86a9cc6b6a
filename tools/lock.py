"""Write the lock files from pyproject.toml, or check that they are what it asks for.

They hold versions and hashes only, for every platform and Python that pyproject.toml allows, and name no
package registry: installing takes whatever registry the machine is set to. `--check` writes nothing and
exits 1 when a lock file does not fit; versions already locked are kept unless `--upgrade` is given.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "requirements.lock": ["--extra", "postgres"],
    "requirements-dev.lock": ["--extra", "postgres", "--extra", "dev"],
}


def compile_lock(lock: Path, extras: list[str], *, upgrade: bool) -> None:
    """Resolve into `lock`, keeping the versions it already holds unless `upgrade`."""
    command = [
        str(Path(sys.executable).parent / "uv"),
        *("pip", "compile", "pyproject.toml", "--group", "build", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"),
        *(["--upgrade"] if upgrade else []),
        *extras,
        *("--output-file", str(lock)),
    ]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Run from the command line; the return value is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    options = parser.parse_args()
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        for name, extras in LOCKS.items():
            fresh = Path(folder) / name
            if (ROOT / name).exists():
                shutil.copy(ROOT / name, fresh)
            compile_lock(fresh, extras, upgrade=options.upgrade)
            if not (ROOT / name).exists() or fresh.read_text() != (ROOT / name).read_text():
                stale.append(name)
                if not options.check:
                    shutil.copy(fresh, ROOT / name)
    if options.check and stale:
        print(f"{', '.join(stale)} does not fit pyproject.toml: run `make lock`", file=sys.stderr)
        return 1
    print("lock: " + (f"wrote {', '.join(stale)}" if stale else "up to date"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
