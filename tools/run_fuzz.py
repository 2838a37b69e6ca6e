"""Run every fuzz target for a time, two at once, and say what each found.

Each target in ``fuzz/`` opens with its invariant, one sentence; a finding is a crash, a
hang of over half a minute or more than a gigabyte of memory. The input that caused it is kept
in ``build/fuzz/``.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FINDINGS = ROOT / "build" / "fuzz"


def invariant(target: Path) -> str:
    """Return the first paragraph of a target's docstring."""
    text = ast.get_docstring(ast.parse(target.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def run(target: Path, seconds: int) -> tuple[Path, int, str]:
    """Run one target; return it, its exit code and the last line with its counters."""
    corpus = FINDINGS / "corpus" / target.stem
    corpus.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        str(target),
        str(corpus),
        f"-max_total_time={seconds}",
        "-timeout=30",
        "-rss_limit_mb=1024",
        f"-artifact_prefix={FINDINGS / target.stem}-",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    output = done.stdout + done.stderr
    (FINDINGS / f"{target.stem}.log").write_text(output, encoding="utf-8")
    counters = [line for line in output.splitlines() if line.startswith("Done ")]
    return target, done.returncode, counters[-1] if counters else "did not finish"


def main() -> int:
    """Run the targets named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("targets", nargs="*", help="names such as mep_frame; all when none is named")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    targets = sorted((ROOT / "fuzz").glob("fuzz_*.py"))
    if options.targets:
        targets = [target for target in targets if target.stem.removeprefix("fuzz_") in options.targets]
    if not targets:
        print("no such fuzz target")
        return 2
    FINDINGS.mkdir(parents=True, exist_ok=True)
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for target, code, counters in pool.map(lambda each: run(each, options.seconds), targets):
            print(
                f"{'ok     ' if code == 0 else 'FINDING'} {target.stem.removeprefix('fuzz_')}: {counters}", flush=True
            )
            print(f"        {invariant(target)}", flush=True)
            failed += code != 0
    print(f"{len(targets) - failed} of {len(targets)} targets without a finding in {options.seconds} s each")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
