# SPDX-License-Identifier: MIT
"""A machine in QEMU whose serial console a program reads: the base of scripts/run and of the system tests.

Machine starts QEMU, stamps each line of the serial console with the seconds since the start, keeps them in a log
file and lets the caller wait for a pattern. It knows what a hypervisor's or kernel's last words look like, so a
crash ends a wait at once instead of at its timeout. It ends only the QEMU that it started.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")

# Without -la57 and -smap a PV kernel cannot run in QEMU 7.2's emulation (IRET faults with SMAP on).
TCG_CPU = "max,-la57,-smap"

LAST_WORDS = re.compile(
    r"^(?!@@ \|).*(panic on cpu|kernel panic|assertion .*failed|double fault|"
    r"domain 0 (crashed|halted)|hardware dom0 (crashed|halted)|dom0 crashed|@@ fatal)",
    re.IGNORECASE,
)


class Stopped(Exception):
    """A wait that can't come true: timeout, crash, or QEMU's end. The text says which."""


def kvm_works(hypervisor, seconds=10):
    """KVM only where the processor shows it and a short trial boot of the hypervisor prints something."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            if not re.search(r"^flags\s*:.*\b(svm|vmx)\b", f.read(), re.MULTILINE):
                return False
    except OSError:
        return False
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    argv = [QEMU, "-accel", "kvm", "-cpu", "host", "-m", "512", "-display", "none", "-no-reboot",
            "-nic", "none", "-serial", "stdio", "-kernel", hypervisor, "-append", "console=com1 noreboot"]
    qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    try:
        ready, _, _ = select.select([qemu.stdout], [], [], seconds)
        return bool(ready and os.read(qemu.stdout.fileno(), 64).strip(b"\0\r\n "))
    finally:
        qemu.kill()
        qemu.wait()


def accelerator(hypervisor):
    """QEMU's arguments for the accelerator and the processor; ACCEL=tcg or ACCEL=kvm decides for itself."""
    wish = os.environ.get("ACCEL", "")
    if wish == "kvm" or (not wish and kvm_works(hypervisor)):
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg", "-cpu", os.environ.get("CPU", TCG_CPU)]


def end_politely():
    """A time limit's SIGTERM leaves by the usual way, so that no emulator stays behind, also of other threads."""
    def leave(*_):
        Machine.no_more = True
        for machine in list(Machine.running):
            machine.qemu.terminate()
        sys.exit(143)
    signal.signal(signal.SIGTERM, leave)


def multiboot(hypervisor, hypervisor_args, modules):
    """QEMU's arguments to load a hypervisor and its modules ("FILE ARGUMENTS" each) by Multiboot."""
    argv = ["-kernel", hypervisor, "-append", hypervisor_args]
    if modules:
        argv += ["-initrd", ",".join(m.replace(",", ",,") for m in modules)]
    return argv


class Machine:
    """One QEMU. Use as a context manager: leaving it ends the emulator."""

    running = set()
    no_more = False
    nudge = 0  # seconds of silence after which a key is pressed: QEMU 7.2 loses interrupts of a machine that has guests

    def __init__(self, argv, log, echo=None):
        if Machine.no_more:
            raise Stopped("the time is over")
        self.lines = []  # (seconds, text)
        self.echo = echo
        self.partial = b""
        self.searched = 0
        os.makedirs(os.path.dirname(log) or ".", exist_ok=True)
        self.log = open(log, "w", encoding="utf-8")
        self.log_name = log
        self.start = self.heard = time.monotonic()
        self.folder = tempfile.mkdtemp(prefix="machine.")
        self.errors = open(os.path.join(self.folder, "stderr"), "w+", encoding="utf-8",
                           errors="replace")
        argv = [QEMU, *argv, "-display", "none", "-serial", "stdio", "-monitor", "none"]
        self.log.write("# " + " ".join(argv) + "\n")
        self.qemu = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=self.errors)
        Machine.running.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def seconds(self):
        return time.monotonic() - self.start

    def end(self):
        """Ends QEMU and keeps what it said."""
        Machine.running.discard(self)
        if self.qemu.poll() is None:
            self.qemu.send_signal(signal.SIGTERM)
            try:
                self.qemu.wait(5)
            except subprocess.TimeoutExpired:
                self.qemu.kill()
                self.qemu.wait()
        self._read(0)
        if self.partial:
            self._line(self.partial)
            self.partial = b""
        self.errors.seek(0)
        said = self.errors.read().strip()
        if said and "terminating on signal" not in said:
            self.log.write("# qemu: " + said + "\n")
        self.log.flush()
        shutil.rmtree(self.folder, ignore_errors=True)

    def type(self, text):
        self.qemu.stdin.write(text.encode())
        self.qemu.stdin.flush()

    def wake(self):
        """
        VMRUN and #VMEXIT change the emulated CPU's pending interrupts without a lock, so a timer's may be forgotten until the
        next one comes: of a system that waits for that timer, never. A key is one.
        """
        if self.nudge and time.monotonic() - self.heard > self.nudge and self.qemu.poll() is None:
            self.heard = time.monotonic()
            self.type("\n")

    def _line(self, raw):
        text = raw.decode("utf-8", "replace").rstrip("\r")
        now = self.seconds()
        self.lines.append((now, text))
        self.log.write(f"[{now:7.2f}] {text}\n")
        self.log.flush()
        if self.echo:
            self.echo(now, text)

    def _read(self, timeout):
        """Takes in what the console has said; False at its end."""
        ready, _, _ = select.select([self.qemu.stdout], [], [], timeout)
        if not ready:
            self.wake()
            return True
        self.heard = time.monotonic()
        data = os.read(self.qemu.stdout.fileno(), 65536)
        *whole, self.partial = (self.partial + data).split(b"\n")
        for raw in whole:
            self._line(raw)
        return bool(data)

    def wait_for(self, pattern, timeout, last_words=LAST_WORDS, prompt=False):
        """The match of the first line not yet looked at that has the pattern. Raises Stopped."""
        pattern = re.compile(pattern)
        deadline = time.monotonic() + timeout
        alive = True
        while True:
            while self.searched < len(self.lines):
                text = self.lines[self.searched][1]
                self.searched += 1
                match = pattern.search(text)
                if match:
                    return match
                if last_words and last_words.search(text):
                    self._read_until_quiet()
                    raise Stopped(text.strip())
            # A prompt has no line end; anything else is worth its whole line.
            match = prompt and pattern.search(self.partial.decode("utf-8", "replace"))
            if match:
                return match
            if not alive:
                raise Stopped("the emulator ended" + self._complaint())
            left = deadline - time.monotonic()
            if left <= 0:
                last = self.lines[-1][1].strip() if self.lines else "nothing"
                raise Stopped(f"no \"{pattern.pattern}\" within {timeout:.0f} s; last line: {last}")
            alive = self._read(min(left, 0.5))

    def _complaint(self):
        self.errors.seek(0)
        text = self.errors.read().strip()
        return ": " + text.splitlines()[-1] if text else ""

    def _read_until_quiet(self, seconds=1.0):
        """After last words there may be a register dump worth keeping."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(0.2):
            pass

    def wait_end(self, timeout):
        """Waits for the machine to power itself off. Raises Stopped."""
        try:
            self.wait_for(r"(?!)", timeout)
        except Stopped as why:
            if "the emulator ended" not in str(why):
                raise
            # QEMU's own exit status: 0 for a power-off that the machine asked for.
            if self.qemu.wait(5) != 0:
                raise Stopped(f"QEMU ended with {self.qemu.returncode}{self._complaint()}") from None

    def text(self):
        return "\n".join(t for _, t in self.lines)
