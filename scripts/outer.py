# SPDX-License-Identifier: MIT
"""A KVM host in the emulator that runs a machine: what the system tests and the bench have in common.

QEMU of Debian 12 emulates SVM. Family 23 and what is taken away keep Linux and hypervisors off what it emulates wrongly: XSETBV
is not intercepted.
"""

import os
import shlex
import shutil
import subprocess
import tempfile

HOST_CPU = "max,family=23,model=1,stepping=2,-la57,-smap,-rdtscp,-monitor"
GUEST_CPU = "host,-la57,-smap,-xsave"
# The host believes in the TSC, else its guests get none.
HOST_WORDS = "console=ttyS0 quiet tsc=reliable"


def inner(path):
    """Where the inner machine's QEMU finds a file that initrd() was given under this name."""
    return f"/inner/{path}"


def initrd(path, host, files, argv, cpu=GUEST_CPU):
    """Writes the host's initrd: the archive `host` (tests/system/outer/pack), and laid over it the inner machine: its files
    ({name: source}) and its QEMU's further arguments."""
    command = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", cpu, "-vga", "none", "-display", "none", "-serial", "stdio", *argv]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
        os.mkdir(f"{work}/inner")
        for name, source in files.items():
            shutil.copy(source, f"{work}/inner/{name}")
        with open(f"{work}/inner/argv", "w", encoding="ascii") as f:
            f.write(shlex.join(command) + "\n")
        with open(path, "wb") as out, open(host, "rb") as archive:
            shutil.copyfileobj(archive, out)
            out.flush()
            subprocess.run("find inner | cpio -o -H newc -R 0:0 --quiet", shell=True, check=True, cwd=work, stdout=out)
    return path
