# SPDX-License-Identifier: MIT
"""Archives for an initramfs, written without privileges: a small one of our own, or the appliance with files laid
over it.  The appliance's init runs /tests/run-all in domain 0 when the kernel's command line says do=tests.
"""


def cpio_entry(name, mode, content=b"", dev=(0, 0)):
    """One member of a newc archive."""
    fields = [1, mode, 0, 0, 1, 0, len(content), 0, 0, dev[0], dev[1], len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
    head += b"\0" * (-len(head) % 4)
    return head + content + b"\0" * (-len(content) % 4)


def initramfs(path, program):
    """An archive with /init and the console node, nothing else."""
    with open(program, "rb") as f:
        content = f.read()
    with open(path, "wb") as f:
        f.write(cpio_entry("dev", 0o40755))
        f.write(cpio_entry("dev/console", 0o20600, dev=(5, 1)))
        f.write(cpio_entry("init", 0o100755, content))
        f.write(cpio_entry("TRAILER!!!", 0))
    return path


def appliance_with(path, appliance, script, files):
    """The appliance's archive followed by one with /tests/run-all and files, {name: bytes}."""
    with open(appliance, "rb") as f:
        base = f.read()
    with open(path, "wb") as f:
        f.write(base + b"\0" * (-len(base) % 512))
        f.write(cpio_entry("tests", 0o40755))
        f.write(cpio_entry("tests/run-all", 0o100755, script.encode()))
        for folder in sorted({n.rsplit("/", 1)[0] for n in files if "/" in n}):
            f.write(cpio_entry(folder, 0o40755))
        for name, content in files.items():
            f.write(cpio_entry(name, 0o100644, content))
        f.write(cpio_entry("TRAILER!!!", 0))
    return path
