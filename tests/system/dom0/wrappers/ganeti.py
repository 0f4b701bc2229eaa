# SPDX-License-Identifier: MIT
"""ganeti.py xm|xl: drives the tools by Ganeti's own hypervisor class, as its node daemon does."""

import os
import subprocess
import sys
import time

sys.path[:0] = ["/usr/share/ganeti/3.0"]
sys.path += ["/usr/lib/python3/dist-packages"]

from ganeti import constants, errors, objects, utils  # noqa: E402
from ganeti.hypervisor import hv_base, hv_xen  # noqa: E402

COMMAND = sys.argv[1]
NAME = f"web.{COMMAND}.example.org"


def check(what, got, wanted):
    ok = wanted(got) if callable(wanted) else got == wanted
    if not ok:
        sys.exit(f"{what}: got {got!r}")


def make_instance():
    hvparams = dict(constants.HVC_DEFAULTS[constants.HT_XEN_PVM])
    hvparams.update({
        constants.HV_XEN_CMD: COMMAND,
        constants.HV_KERNEL_PATH: os.environ["KERNEL"],
        constants.HV_INITRD_PATH: "/boot/guest-test.cpio",
        constants.HV_KERNEL_ARGS: "console=hvc0 quiet",
        constants.HV_ROOT_PATH: "",
        constants.HV_BLOCKDEV_PREFIX: "xvd",
        constants.HV_CPU_MASK: "0-1",
    })
    nic = objects.NIC(mac="aa:00:00:12:34:56", ip=None, name=None, nicparams={
        constants.NIC_MODE: constants.NIC_MODE_BRIDGED, constants.NIC_LINK: "xenbr0",
        constants.NIC_VLAN: ""})
    beparams = {constants.BE_MAXMEM: 128, constants.BE_MINMEM: 128, constants.BE_VCPUS: 1}
    return objects.Instance(name=NAME, hvparams=hvparams, beparams=beparams, nics=[nic],
                            disks=[], tags=[], os="none")


def disks():
    disk = objects.Disk(dev_type=constants.DT_PLAIN, logical_id=("xenvg", "disk"),
                        params={}, mode=constants.DISK_RDWR)
    return [(disk, "/dev/loop7", None)]


def wait_state(h, instance, wanted, seconds):
    """What GetInstanceInfo says of the state, until it is the wanted one."""
    end = time.monotonic() + seconds
    while True:
        info = h.GetInstanceInfo(instance.name, hvparams=instance.hvparams)
        if info and info[4] == wanted:
            return info
        if time.monotonic() > end:
            sys.exit(f"{instance.name} is {info}, wanted {wanted}")
        time.sleep(0.5)


def wait_ready(times):
    """Until the guest has said so often that it is up."""
    end = time.monotonic() + 90
    while True:
        with open(f"/var/log/xen/console/guest-{NAME}.log", encoding="ascii", errors="replace") as f:
            if f.read().count("guest: ready") >= times:
                return
        if time.monotonic() > end:
            sys.exit(f"{NAME} is not up")
        time.sleep(0.5)


def main():
    h = hv_xen.XenPvmHypervisor()
    instance = make_instance()
    hvparams = instance.hvparams
    running = hv_base.HvInstanceState.RUNNING

    check("Verify", h.Verify(hvparams=hvparams), None)
    node = h.GetNodeInfo(hvparams=hvparams)
    check("GetNodeInfo", node, lambda n: n["memory_free"] > 100 and n["cpu_total"] == 2
          and n["memory_hv"] >= 0 and n["hv_version"] == (4, 17))
    check("ListInstances", h.ListInstances(hvparams=hvparams), lambda l: NAME not in l)

    h.StartInstance(instance, disks(), True)
    console = subprocess.run([COMMAND, "list", NAME], capture_output=True, text=True, check=True)
    check("paused", console.stdout.splitlines()[-1].split()[4][2], "p")
    check("unpause", utils.RunCmd([COMMAND, "unpause", NAME]).failed, False)
    info = wait_state(h, instance, running, 20)
    check("GetInstanceInfo", info[:4], lambda i: i[0] == NAME and i[2] == 128 and i[3] == 1)
    check("GetAllInstancesInfo", [i[0] for i in h.GetAllInstancesInfo(hvparams=hvparams)],
          lambda names: names == [NAME])
    wait_ready(1)
    check("a second start", refused(lambda: h.StartInstance(instance, disks(), False)), True)
    # A failed start has moved the file away; the daemon writes it anew on every start.
    h._MakeConfigFile(instance, 128, disks())

    h.BalloonInstanceMemory(instance, 112)
    before = info[1]
    h.RebootInstance(instance)
    info = wait_state(h, instance, running, 60)
    check("a new domain after the reboot", info[1], lambda domid: domid != before)
    wait_ready(2)

    h.StopInstance(instance, force=False)
    check("gone", h.ListInstances(hvparams=hvparams), lambda l: NAME not in l)
    check("its file", os.path.exists(f"/etc/xen/{NAME}"), False)
    h.StartInstance(instance, disks(), False)
    wait_state(h, instance, running, 20)
    h.StopInstance(instance, force=True)
    check("gone again", h.ListInstances(hvparams=hvparams), lambda l: NAME not in l)


def refused(call):
    try:
        call()
        return False
    except errors.HypervisorError:
        return True


main()
print(f"Ganeti works with {COMMAND}")
