#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints docs/hypercalls.md: every operation of the ABI, from the public headers, beside what the hypervisor's tables say of it.

An operation is implemented if a row names a handler for it, refused if the row names none or a handler called refuse_*, and planned if
the row's note says so or the headers know it and no row does. Operations that a hypercall tells apart without a table count by their `case`, or the name in an index.

usage: hypercalls.py [--headers DIR] [--source DIR]
"""
import argparse
import pathlib
import re

# hypercall: (header, operations in it, names that match but are something else)
FAMILIES = {
    "xen_version": ("version.h", r"XENVER_\w+", r""),
    "memory_op": ("memory.h", r"XENMEM_\w+", r"XENMEM_(paging_op|access_op|sharing_op|resource|SHARING\w*|RDM)_\w+"),
    "event_channel_op": ("event_channel.h", r"EVTCHNOP_\w+", r""),
    "grant_table_op": ("grant_table.h", r"GNTTABOP_\w+", r""),
    "sched_op": ("sched.h", r"SCHEDOP_\w+", r""),
    "vcpu_op": ("vcpu.h", r"VCPUOP_\w+", r""),
    "physdev_op": ("physdev.h", r"PHYSDEVOP_\w+", r"PHYSDEVOP_DBGP_\w+"),
    "mmuext_op": ("xen.h", r"MMUEXT_\w+", r""),
    "console_io": ("xen.h", r"CONSOLEIO_\w+", r""),
    "vm_assist": ("xen.h", r"VMASST_TYPE_\w+", r""),
    "callback_op": ("callback.h", r"CALLBACKOP_\w+", r""),
    "nmi_op": ("nmi.h", r"XENNMI_\w+_callback", r""),
    "platform_op": ("platform.h", r"XENPF_\w+", r"XENPF_(INTERFACE|ACPI_SLEEP)\w*"),
    "hvm_op": ("hvm/hvm_op.h", r"HVMOP_\w+", r"HVMOP_(ALTP2M|altp2m_|set_pci_|set_isa_|pagetable_|set_mem_access|get_mem_access)\w*"),
    "kexec_op": ("kexec.h", r"KEXEC_CMD_\w+", r"\w+_v1"),
    "domctl": ("domctl.h", r"XEN_DOMCTL_\w+", r"\w+_cont"),
    "sysctl": ("sysctl.h", r"XEN_SYSCTL_\w+", r""),
}
MACHINE_WIDE = {"domctl": "XEN_DOMCTL_INTERFACE_VERSION", "sysctl": "XEN_SYSCTL_INTERFACE_VERSION"}
WHO = {
    "WHO_ANY": "anyone", "WHO_SELF_OR_CONTROL": "for itself, or the control domain",
    "WHO_CONTROL": "who controls the target", "WHO_TARGET": "handler decides", "WHO_PRIV": "control domain", "WHO_PRIV_FIRST": "control domain",
    "WHO_HARDWARE": "hardware domain", "WHO_OTHER": "control domain, for another",
}
DIRECTIONS = {"DIR_NONE": "", "DIR_IN": "in", "DIR_OUT": "out", "DIR_INOUT": "in, out"}
# Families whose rows leave the common part of their operations' names away, and who may call where a row does not say it.
PREFIXES = {
    "DOMCTL": ("XEN_DOMCTL_", "control domain"), "SYSCTL": ("XEN_SYSCTL_", "control domain"), "PLATFORM": ("XENPF_", "control domain"),
    "KEXEC": ("KEXEC_CMD_", "control domain"), "MEMOP": ("XENMEM_", "anyone"), "PHYSDEV": ("PHYSDEVOP_", ""), "HVMOP": ("HVMOP_", ""),
}
# Macros that make the function's name from the operation's.
NAMED_AFTER = ("DOMCTL", "DOMCTL_OTHER", "SYSCTL", "PLATFORM", "PHYSDEV", "MEMOP", "MEMOP_T")
MACRO = re.compile(r"^\t(\w*(?:SUBOP|%s|VCPUOP|ROW|REFUSED|GRANT|MMUEXT)\w*)\(((?:[^()]|\([^()]*\))*)\)\s*," % "|".join(PREFIXES), re.M)
# Rows by index, with the structure first.
INDEXED = re.compile(r"^\t\[(\w+)\] =\s+(?:\w+_OP\(|\{\.size = sizeof\()(struct \w+)([^\[]*?)\}?\)?,\n", re.M)


def split_args(text):
    return [re.sub(r"\s+", " ", a).strip() for a in re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text)]


def family_of(macro):
    """Prefix of the operations' names, and who may call, of a macro that belongs to one family."""
    return PREFIXES.get(macro.split("_")[0], ("", ""))


def handler(macro, args):
    """The row's function: named, made from the operation's name, or none."""
    for a in reversed(args[1:]):
        if re.fullmatch(r"\w+", a) and not a.startswith(("WHO_", "DIR_")):
            named = a
            break
    else:
        named = None
    if macro in NAMED_AFTER:
        return args[0]
    return named


def parse_rows(source):
    rows, texts = {}, []
    for path in sorted(source.rglob("*.[ch]")):
        text = path.read_text()
        texts.append(text)
        for m in MACRO.finditer(text):
            macro, args = m.group(1), split_args(m.group(2))
            fn = handler(macro, args)
            note = next((a.strip('"') for a in args if a.startswith('"')), "")
            refused = "REFUSED" in macro or fn in (None, "NULL") or fn.startswith("refuse")
            planned = note.startswith("planned: ")
            prefix, who = family_of(macro)
            if macro == "DOMCTL_OTHER":
                who = WHO["WHO_OTHER"]
            rows[prefix + args[0]] = {
                "status": "planned" if planned else "refused" if refused else "implemented",
                "who": next((WHO[a] for a in args if a in WHO), who),
                "dir": next((DIRECTIONS[a] for a in args if a in DIRECTIONS), "in" if macro in ("MEMOP_REFUSED", "HVMOP_REFUSED") else ""),
                "struct": next((a for a in args if a.startswith("struct ") or a.endswith("_t")), ""),
                "note": note[len("planned: "):] if planned else note,
            }
        for name, struct, rest in INDEXED.findall(text):
            rows[name] = {"status": "refused" if "refuse_" in rest else "implemented", "who": "", "dir": "", "struct": struct, "note": ""}
    return rows, "\n".join(texts)


def header_ops(headers, family):
    file, pattern, exclude = FAMILIES[family]
    text = (headers / file).read_text()
    if family in MACHINE_WIDE:  # sub-commands stand inside the structure, between these two fields
        end = text.index("uint32_t interface_version; /* " + MACHINE_WIDE[family])
        text = text[text.rindex("uint32_t cmd;", 0, end):end]
    ops = {}
    for m in re.finditer(r"^#define\s+(%s)\s+(0x[0-9a-fA-F]+|\d+)\b" % pattern, text, re.M):
        if not (exclude and re.fullmatch(exclude, m.group(1))):
            ops[m.group(1)] = int(m.group(2), 0)
    return ops


def by_code(op, text):
    return re.search(r"(\bcase %s\b|[=!]= %s\b|\[%s\]|BIT\(%s\))" % (op, op, op, op), text)


def family_table(headers, family, rows, text, out):
    ops = header_ops(headers, family)
    counts = {"implemented": 0, "refused": 0, "planned": 0}
    lines = []
    for op, nr in sorted(ops.items(), key=lambda i: (i[1], i[0])):
        row = rows.get(op)
        if not row:
            row = {"status": "implemented" if by_code(op, text) else "planned", "who": "", "dir": "", "struct": "", "note": ""}
        counts[row["status"]] += 1
        status = row["status"] + (": " + row["note"] if row["note"] else "")
        lines.append("| %d | `%s` | %s | %s | %s | %s |" % (
            nr, op, "`%s`" % row["struct"] if row["struct"] else "", row["dir"], row["who"], status))
    if not ops:
        return
    out.append("\n## %s\n" % family)
    out.append("%d implemented, %d refused, %d planned.\n" % (counts["implemented"], counts["refused"], counts["planned"]))
    out.append("| nr | operation | argument | copied | who | status |\n|---|---|---|---|---|---|")
    out.extend(lines)


def hypercall_numbers(headers):
    text = (headers / "xen.h").read_text()
    return {m.group(1): int(m.group(2)) for m in re.finditer(r"^#define __HYPERVISOR_(\w+)\s+(\d+)\b", text, re.M)}


def main_table(headers, source, out):
    table = (source / "hypercall/table.c").read_text()
    misc = (source / "hypercall/hc_misc.c").read_text()
    out.append("| nr | hypercall | status |\n|---|---|---|")
    for name, nr in sorted(hypercall_numbers(headers).items(), key=lambda i: i[1]):
        m = re.search(r"\[__HYPERVISOR_%s\]\s*=\s*(\w+)" % name, table)
        fn = m.group(1) if m else "hypercall_enosys"
        if fn == "hypercall_enosys":
            if name.startswith("arch_"):
                continue
            status = "refused"
        else:
            body = re.search(r"HYPERCALL_FN\(%s\)\n\{(.*?)\n\}" % fn[3:], misc, re.S)
            only = body and not re.search(r"sub_call|hc_target", body.group(1))
            status = "refused" if only else "see below" if name in FAMILIES else "implemented"
        out.append("| %d | `%s` | %s |" % (nr, name, status))


def main():
    here = pathlib.Path(__file__).resolve().parent
    ap = argparse.ArgumentParser()
    ap.add_argument("--headers", type=pathlib.Path, default=pathlib.Path("/usr/include/xen"))
    ap.add_argument("--source", type=pathlib.Path, default=here.parent / "hypervisor")
    args = ap.parse_args()
    rows, text = parse_rows(args.source)
    out = ["# Hypercalls\n",
           "Generated by `make docs` from the hypervisor's tables and Xen's public headers; do not edit.\n",
           "*Implemented*: does what Xen 4.17 does for a paravirtual guest. *Refused*: answers with the errno Xen gives where the "
           "feature is missing. *Planned*: refused likewise for now.\n"]
    main_table(args.headers, args.source, out)
    for family in FAMILIES:
        family_table(args.headers, family, rows, text, out)
    print("\n".join(out))


main()
