# SPDX-License-Identifier: Apache-2.0
"""A Debian of its own with Blender's whole GUI and an X server without a screen, in a folder.

Blender's windows need newer libraries than the machine may have; pinning packages of another Debian would replace its
libc. All mounts live in a private mount namespace (`unshare -m`) and vanish with it: the folder can be removed safely.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SUITES = {"trixie": "4.3", "sid": "5.2 at the time of writing: no fixed version"}
"""Releases of Debian that may be asked for, and the Blender that each has."""
PACKAGES = (
    "blender", "xvfb", "imagemagick", "python3-numpy", "python3-requests", "python3-zstandard", "python3-cattr",
    "libopenblas0-pthread", "libgl1-mesa-dri", "libegl1", "libegl-mesa0", "libgl1",
)  # fmt: skip
TOOLS = ("debootstrap", "unshare", "mount", "chroot")
_SETTINGS = {
    "etc/apt/apt.conf.d/99gui": 'APT::Install-Recommends "false";\n',
    "etc/dpkg/dpkg.cfg.d/gui": "".join(f"path-exclude=/usr/share/{name}/*\n" for name in ("doc", "man", "locale")),
}
_INSTALL = (
    # a mirror that stands still, as one of snapshots does, outlives sid's dates; signatures are checked all the same
    f"apt-get -o Acquire::Check-Valid-Until=false update && apt-get install -y {' '.join(PACKAGES)} && apt-get clean"
)
_CLEAN = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
"""The environment inside: a path of the host that leaks in makes Blender run the host's Python."""


class ChrootError(Exception):
    """The chroot cannot be made; the message is one line."""


def why_not() -> str | None:
    """Why this machine cannot hold a chroot, or None where it can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "a chroot needs Linux and root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not found; apt-get install -y debootstrap util-linux"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        return "this machine allows no mount namespaces"
    return None if _mirror() else "apt's sources name no Debian mirror"


def ready(cache: Path, suite: str) -> Path:
    """The chroot of a release of Debian, made first where it is missing or was made from another list of packages.

    Args:
        cache: the folder that holds it.
        suite: one of `SUITES`.

    Raises:
        ChrootError: a step failed; the message names its log.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{suite}.lock"):
        root, stamp = cache / suite, cache / f"{suite}.stamp"
        wanted = hashlib.sha256(repr((suite, PACKAGES, _SETTINGS)).encode()).hexdigest()
        if not stamp.is_file() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            print(f"Making a Debian {suite} with Blender in {root} (once, some minutes)", flush=True)
            _make(root, suite)
            stamp.write_text(wanted)
    return root


def _make(root: Path, suite: str) -> None:
    mirror = _mirror()
    if mirror is None:
        raise ChrootError("apt's sources name no Debian mirror; expected one in /etc/apt/sources.list.d/debian.sources")
    shutil.rmtree(root, ignore_errors=True)
    logs = root.parent
    bootstrap = ["unshare", "-m", "debootstrap", "--variant=minbase", suite, str(root), mirror]
    _must(bootstrap, logs / f"{suite}.debootstrap.log")
    for name, text in _SETTINGS.items():
        (root / name).write_text(text)
    shutil.copy("/etc/resolv.conf", root / "etc")
    (root / "job").mkdir()
    _must(inside(root, _INSTALL), logs / f"{suite}.apt.log")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let no other process do the same meanwhile."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def inside(root: Path, script: str, job: Path | None = None, arguments: Sequence[str] = ()) -> list[str]:
    """The command that runs a shell script inside, with the host's devices and a folder of the host's as /job."""
    binds = [(f"/{name}", root / name) for name in ("proc", "sys", "dev", "dev/shm")]
    if job is not None:
        binds.append((str(job), root / "job"))
    mounts = " && ".join(f"mount --bind '{source}' '{target}'" for source, target in binds)
    clean = [f"{name}={value}" for name, value in _CLEAN.items()]
    enter = f'mount --make-rprivate / && {mounts} && exec "$@"'
    shell = ["chroot", str(root), "bash", "-c", script, "bash", *arguments]
    return ["unshare", "-m", "sh", "-c", enter, "sh", "env", "-i", *clean, *shell]


def _mirror() -> str | None:
    """The Debian mirror that apt on this machine uses already."""
    for name in ("sources.list.d/debian.sources", "sources.list"):
        path = Path("/etc/apt") / name
        found = re.search(
            r"^(?:URIs:|deb (?:\[.*?\] )?)\s*(\S+)", path.read_text() if path.is_file() else "", re.MULTILINE
        )
        if found:
            return found[1]
    return None


def _must(command: list[str], log: Path) -> None:
    with log.open("wb") as out:
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode
    if status:
        lines = log.read_text(errors="replace").strip().splitlines() or [f"exit {status}"]
        raise ChrootError(f"{command[2] if command[1] == '-m' else command[0]} failed: {lines[-1]}; see {log}")
