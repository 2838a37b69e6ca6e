"""Run the README's two commands in minimal Debian trees: no compiler, no systemd, no bus, nothing left from development.

For each Debian a tree is made by debootstrap, with what the README's first line installs, and kept for the next time. On a
throw-away layer over it a clone of what is committed or changed here runs ``make run`` as an ordinary user, until the page shows
a value, and ``make test`` as root without the right to mount, as in a container. The mirror and pip's index are those of this machine.

Usage: python3 tools/fresh_debian.py [--only run|test] [--pytest WORDS] [--folder FOLDER] [12 13]
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fresh_host import Host

ROOT = Path(__file__).resolve().parent.parent
NAMES = {"12": "bookworm", "13": "trixie"}
USER = "reader"
LIVE_WITHIN = 600.0
"""Seconds until the page must show a value, with the download of all packages."""
TESTS_WITHIN = 5400.0
ENDS_WITHIN = 30.0
"""Seconds that a demonstration may take to end after Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A test that may be left out in a tree, and why."""

    debian: str
    reason: re.Pattern[str]


MAY_SKIP = (
    # Debian 12 has Python 3.11 alone, and Home Assistant wants 3.13.
    Skip("12", re.compile(r"Home Assistant check: not run, no Python 3\.13\+ found")),
)
"""All that a tree may leave out. Whatever else is skipped fails."""


class Failed(RuntimeError):
    """A command of the README did not do what it says; the text says which, and where to read more."""


def readme_packages() -> list[str]:
    """Return the Debian packages that the README's first line installs.

    Raises:
        Failed: the README no longer shows what is run here.
    """
    text = (ROOT / "README.md").read_text()
    block = re.search(r"^## Try it now$.*?^```sh$(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line.split("#")[0].strip() for line in block[1].splitlines()] if block else []
    install = next((line for line in lines if line.startswith("sudo apt-get install -y ")), None)
    if install is None or "make run" not in lines or "make test" not in lines:
        raise Failed("README.md, 'Try it now', no longer shows apt-get install, make run and make test")
    return install.split()[4:]


def run(*command: str | Path, log: Path | None = None, **more: object) -> None:
    """Run a command to its end.

    Raises:
        Failed: it failed; the text holds its last words.
    """
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **more,
    )  # type: ignore[call-overload]
    if log is not None:
        with log.open("a") as file:
            file.write(done.stdout)
    if done.returncode:
        raise Failed(
            f"{shlex.join(str(part) for part in command)} ended with {done.returncode}:\n{done.stdout[-3000:]}"
        )


def base_tree(folder: Path, debian: str, host: Host) -> Path:
    """Return the minimal tree of a Debian, with what the README's first line installs; make it when it is missing."""
    tree, stamp = folder / f"debian-{debian}", folder / f"debian-{debian}.json"
    wanted = json.dumps({"packages": readme_packages(), "apt": host.apt_sources(NAMES[debian])})
    if tree.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return tree
    print(f"Debian {debian}: making a minimal tree (a few minutes, once) ...", flush=True)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(tree, ignore_errors=True)
    log = folder / f"debian-{debian}.log"
    log.write_text("")
    mirror = [host.mirror] if host.mirror else []
    run("debootstrap", "--variant=minbase", NAMES[debian], tree, *mirror, log=log)
    (tree / "etc/apt/sources.list").write_text(host.apt_sources(NAMES[debian]))
    (tree / "etc/apt/apt.conf.d/90host").write_text(host.apt_settings())
    shutil.copyfile("/etc/resolv.conf", tree / "etc/resolv.conf")
    quiet = {"env": {"PATH": os.defpath + ":/usr/sbin:/sbin", "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}}
    run("chroot", tree, "apt-get", "update", "-q", log=log, **quiet)
    run("chroot", tree, "apt-get", "upgrade", "-qy", log=log, **quiet)
    run("chroot", tree, "apt-get", "install", "-qy", *readme_packages(), log=log, **quiet)
    run("chroot", tree, "useradd", "--create-home", "--shell", "/bin/bash", USER, log=log, **quiet)
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 fresh\n")
    stamp.write_text(wanted)
    return tree


@contextmanager
def mounted(kind: str, source: str | Path, target: Path, options: str = "") -> Iterator[None]:
    """Mount something for a while."""
    target.mkdir(parents=True, exist_ok=True) if kind != "file" else target.touch()
    how = ["--bind"] if kind in {"bind", "file"} else ["-t", kind]
    run("mount", *how, *(["-o", options] if options else []), source, target)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", target], capture_output=True, check=False)


@contextmanager
def throw_away(folder: Path, debian: str, tree: Path, host: Host) -> Iterator[Path]:
    """Give a copy of a tree to work in, with what a running system has mounted, and drop it afterwards."""
    scratch = folder / f"scratch-{debian}"
    shutil.rmtree(scratch, ignore_errors=True)
    root = scratch / "root"
    for name in ("upper", "work"):
        (scratch / name).mkdir(parents=True)
    with ExitStack() as mounts:
        try:
            layers = f"lowerdir={tree},upperdir={scratch}/upper,workdir={scratch}/work"
            mounts.enter_context(mounted("overlay", "overlay", root, layers))
        except Failed:  # a kernel or a file system without overlays
            run("cp", "-a", "--reflink=auto", f"{tree}/.", root)
        mounts.enter_context(mounted("proc", "proc", root / "proc"))
        mounts.enter_context(mounted("sysfs", "sysfs", root / "sys", "ro"))
        mounts.enter_context(mounted("tmpfs", "dev", root / "dev", "mode=755"))
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            device = os.stat(f"/dev/{name}")  # noqa: PTH116 - a device, not a file
            os.mknod(root / "dev" / name, device.st_mode, device.st_rdev)
            (root / "dev" / name).chmod(0o666)
        mounts.enter_context(mounted("devpts", "devpts", root / "dev/pts", "newinstance,ptmxmode=666,mode=620,gid=5"))
        mounts.enter_context(mounted("tmpfs", "shm", root / "dev/shm"))
        for link, to in (
            ("ptmx", "pts/ptmx"),
            ("fd", "/proc/self/fd"),
            ("stdin", "fd/0"),
            ("stdout", "fd/1"),
            ("stderr", "fd/2"),
        ):
            (root / "dev" / link).symlink_to(to)
        mounts.enter_context(mounted("tmpfs", "run", root / "run", "mode=755"))
        archives = folder / f"archives-{debian}"
        archives.mkdir(exist_ok=True)
        mounts.enter_context(mounted("bind", archives, root / "var/cache/apt/archives"))
        for path in host.pip_paths():
            inside = root / path.relative_to("/")
            inside.parent.mkdir(parents=True, exist_ok=True)
            mounts.enter_context(mounted("bind" if path.is_dir() else "file", path, inside, "ro"))
        for user in (USER, "root"):
            cache = folder / f"pip-{debian}-{user}"
            cache.mkdir(exist_ok=True)
            mounts.enter_context(mounted("bind", cache, root / f"var/cache/pip-{user}"))
            run("chroot", root, "chown", f"{user}:", f"/var/cache/pip-{user}")
        (root / "etc/pip.conf").write_text(host.pip_conf())
        copy_sources(scratch, root / "srv/nes2mqtt.bundle")
        yield root
    shutil.rmtree(scratch, ignore_errors=True)


def copy_sources(scratch: Path, bundle: Path) -> None:
    """Write what is here, committed or not but nothing that git ignores, as a file that git clones from."""
    bare = scratch / "sources.git"
    run("git", "clone", "-q", "--bare", "--no-hardlinks", ROOT, bare)
    here = {**os.environ, "GIT_DIR": str(bare), "GIT_WORK_TREE": str(ROOT), "GIT_INDEX_FILE": str(scratch / "index")}
    here |= {f"GIT_{who}_{what}": "fresh" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    run("git", "add", "--all", env=here)
    run("git", "-c", "core.bare=false", "commit", "-q", "--allow-empty", "-m", "As it is here", env=here)
    run("git", "-C", bare, "update-ref", "refs/heads/main", "HEAD")
    run("git", "-C", bare, "bundle", "create", "-q", bundle, "main")


def inside(root: Path, user: str, line: str, host: Host, **more: str) -> list[str]:
    """Return the command that runs a line of shell in a tree."""
    home = "/root" if user == "root" else f"/home/{user}"
    environment = {
        "HOME": home,
        "USER": user,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PIP_CACHE_DIR": f"/var/cache/pip-{user}",
    }
    environment["PATH"] = (
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        if user == "root"
        else "/usr/local/bin:/usr/bin:/bin"
    )
    words = [f"{name}={value}" for name, value in {**environment, **host.environment(), **more}.items()]
    # Root without the right to mount, as in a container.
    limits = (
        ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
        if user == "root"
        else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
    )
    return ["chroot", str(root), *limits, "env", "-i", *words, "sh", "-c", f"cd {home} && {line}"]


def try_run(root: Path, host: Host, log: Path) -> str:
    """Type what the README says until the page shows a value; return how long that took, in words."""
    clone = "git clone -q -b main /srv/nes2mqtt.bundle nes2mqtt && cd nes2mqtt"
    begin = time.monotonic()
    with log.open("w") as file:
        process = subprocess.Popen(
            inside(root, USER, f"{clone} && exec make run", host), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )  # fmt: skip
    try:
        page = until_live(process, log, begin + LIVE_WITHIN)
        seconds = time.monotonic() - begin
    finally:
        left = end(process)
    if left:
        raise Failed(f"make run: {left}; see {log}")
    return f"make run: {page} shows live values after {seconds:.0f} s"


def until_live(process: subprocess.Popen[bytes], log: Path, deadline: float) -> str:
    """Wait until the page answers and a value is there; return the page's address."""
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed(f"make run ended with {process.returncode}:\n{log.read_text()[-3000:]}")
        if told := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            with suppress(OSError, urllib.error.URLError, ValueError):
                page = urllib.request.urlopen(told[0], timeout=5).read()
                values = json.load(urllib.request.urlopen(f"{told[0]}/api/v1/readings", timeout=5))
                if b"<html" in page and "power" in json.dumps(values):
                    return told[0]
        time.sleep(0.5)
    raise Failed(f"make run: no page with values after {LIVE_WITHIN:.0f} s:\n{log.read_text()[-3000:]}")


def end(process: subprocess.Popen[bytes]) -> str | None:
    """Press Ctrl-C; say what did not end by it."""
    deadline = time.monotonic() + ENDS_WITHIN
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        return f"it did not end within {ENDS_WITHIN:.0f} s of Ctrl-C"
    return None


def try_test(root: Path, debian: str, host: Host, log: Path, words: str) -> str:
    """Type ``make test``, with some words for pytest; return what came of it, in words."""
    clone = "git clone -q -b main /srv/nes2mqtt.bundle nes2mqtt && cd nes2mqtt"
    begin = time.monotonic()
    with log.open("w") as file:
        done = subprocess.run(
            inside(root, "root", f"{clone} && make test", host, PYTEST_ADDOPTS=words),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            check=False,
            timeout=TESTS_WITHIN,
        )
    told = judged(log.read_text(errors="replace"), done.returncode, debian, log)
    return f"make test{f' ({words})' if words else ''}: {told}\n    {(time.monotonic() - begin) / 60:.0f} min with the set-up"


def judged(text: str, code: int, debian: str, log: Path) -> str:
    """Return pytest's closing line with what was left out.

    Raises:
        Failed: something failed, no test ran, or something was left out that is not named.
    """
    closing = re.findall(r"^=* ?(\d+ (?:failed|passed|error).* in [\d.]+s.*?) ?=*$", text, re.MULTILINE)
    if code or not closing:
        broken = "\n".join(re.findall(r"^(?:FAILED|ERROR) .*$", text, re.MULTILINE)) or text[-3000:]
        raise Failed(f"make test ended with {code} ({closing[-1] if closing else 'no test ran'}); see {log}\n{broken}")
    skipped = re.findall(r"^SKIPPED .*$", text, re.MULTILINE)
    wrong = [line for line in skipped if not any(may.debian == debian and may.reason.search(line) for may in MAY_SKIP)]
    if wrong:
        raise Failed("make test left out what is not named in MAY_SKIP:\n" + "\n".join(wrong))
    return "\n    ".join([closing[-1], *skipped])


def one(folder: Path, debian: str, only: str | None, words: str) -> bool:
    """Run the README's commands in one Debian; tell whether all went well."""
    host = Host.here()
    well = True
    with throw_away(folder, debian, folder / f"debian-{debian}", host) as root:
        for name in ("run", "test"):
            if only in {None, name}:
                log = folder / f"debian-{debian}-make-{name}.log"
                print(f"Debian {debian}: make {name} ...", flush=True)
                try:
                    told = try_run(root, host, log) if name == "run" else try_test(root, debian, host, log, words)
                except (Failed, subprocess.TimeoutExpired) as error:
                    told, well = f"FAILED: {error}", False
                print(f"Debian {debian}: {told}", flush=True)
    return well


def as_first_process(arguments: Sequence[str]) -> int:
    """Do the work in a child and bury what it orphans, as the first process of a system does."""
    child = subprocess.Popen([sys.executable, __file__, *arguments, "--here"])
    while True:
        process, status = os.wait()
        if process == child.pid:
            return os.waitstatus_to_exitcode(status)


def main() -> int:
    """Make the trees, then run the commands in each, in namespaces of their own where that is allowed."""
    parser = argparse.ArgumentParser(description="Run the README's two commands in minimal Debian trees.")
    parser.add_argument("debian", nargs="*", default=list(NAMES), help="12, 13; default: both", metavar="DEBIAN")
    parser.add_argument("--only", choices=("run", "test"), help="only this of the two commands")
    parser.add_argument("--pytest", default="", help="words for pytest, such as a folder of tests, instead of all")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/nes2mqtt-fresh"), help="where trees are kept")
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    if unknown := set(arguments.debian) - NAMES.keys():
        parser.error(f"unknown Debian {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if os.geteuid():
        parser.error("trees are made and entered by root: sudo make test-fresh")
    if arguments.here:
        return not one(folder, arguments.debian[0], arguments.only, arguments.pytest)
    if arguments.first:
        return as_first_process([argument for argument in sys.argv[1:] if argument != "--first"])

    # Whoever ends this ends what runs in a tree, too: subprocess.run kills its child on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder.mkdir(parents=True, exist_ok=True)
    well = True
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for debian in arguments.debian:
            try:
                base_tree(folder, debian, Host.here())
            except Failed as error:
                print(f"Debian {debian}: FAILED: {error}", flush=True)
                well = False
                continue
            more = [debian, "--folder", str(folder), f"--pytest={arguments.pytest}"]
            more += ["--only", arguments.only] if arguments.only else []
            # All that runs in a tree, and all its mounts, end with the namespaces.
            own = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
            if subprocess.run([*own, "true"], capture_output=True, check=False).returncode == 0:
                command = [*own, sys.executable, __file__, *more, "--first"]
            else:
                command = [sys.executable, __file__, *more, "--here"]
            well &= subprocess.run(command, check=False).returncode == 0
    return not well


if __name__ == "__main__":
    sys.exit(main())
