"""A filter of system calls for the sandbox, as the kernel wants it: a program of classic BPF, put together by hand.

What a decoder never needs is refused with EPERM: new processes, tracing, mounting, namespaces, sockets, keys, modules,
and the interfaces in which kernels have had the most holes. Calls of a foreign architecture end the process.
"""

import errno
import platform
import struct

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_CALL, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_THREAD = 0x10000
_X32 = 0x40000000

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_SPAWNING = {"x86_64": (57, 58), "aarch64": ()}
"""fork, vfork"""
_REFUSED = {
    # ptrace, socket, socketpair, personality, pivot_root, chroot, acct, mount, umount2, swapon, swapoff, reboot,
    # init_module, delete_module, quotactl, lookup_dcookie, kexec_load, add_key, request_key, keyctl, unshare,
    # perf_event_open, fanotify_init, name_to_handle_at, open_by_handle_at, setns, process_vm_readv, process_vm_writev,
    # finit_module, kexec_file_load, bpf, userfaultfd
    "x86_64": (
        *(101, 41, 53, 135, 155, 161, 163, 165, 166, 167, 168, 169, 175, 176, 179, 212, 246, 248, 249, 250, 272, 298, 300),
        *(303, 304, 308, 310, 311, 313, 320, 321, 323),
    ),
    "aarch64": (
        *(117, 198, 199, 92, 41, 51, 89, 40, 39, 224, 225, 142, 105, 106, 60, 18, 104, 217, 218, 219, 97, 241, 262, 264, 265),
        *(268, 270, 271, 273, 294, 280, 282),
    ),
}
# io_uring_setup, io_uring_enter, io_uring_register, open_tree, move_mount, fsopen, fsconfig, fsmount, pidfd_getfd,
# mount_setattr: the same number everywhere
_REFUSED_EVERYWHERE = (425, 426, 427, 428, 429, 430, 431, 432, 438, 442)


def program(*, may_fork: bool, machine: str = "") -> bytes:
    """The filter for this machine; empty for an architecture whose numbers are not known here."""
    machine = machine or platform.machine()
    if machine not in _ARCHITECTURES:
        return b""
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _CALL),
    ]
    if machine == "x86_64":
        steps += [(_JUMP_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    refused = [*_REFUSED[machine], *_REFUSED_EVERYWHERE, *(() if may_fork else _SPAWNING[machine])]
    for number in refused:
        steps += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    # Its flags lie in memory, where a filter cannot look; libc then falls back on clone.
    steps += [(_JUMP_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    if not may_fork:  # threads may be made, processes not
        steps += [
            (_JUMP_EQUAL, 0, 3, _CLONE[machine]),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (_JUMP_BITS, 1, 0, _CLONE_THREAD),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        ]
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
