"""A seccomp deny-list as bytes, assembled here so that no C library is needed.

What is denied answers with an error instead of killing, so that an honest program that merely asks goes on. Everything
that makes sockets, namespaces, mounts or keys is denied, and what lets a process look into or signal another.
"""

from __future__ import annotations

import errno
import platform
import struct

ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_* of linux/audit.h
X32 = 0x40000000  # a second table of calls on x86_64; none of it is needed
NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of linux/sched.h
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # offsets in struct seccomp_data

# name: (x86_64, aarch64) of the kernel's syscall tables; None where an architecture has no such call
DENIED: dict[str, tuple[int | None, int]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "process_madvise": (440, 440),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "socket": (41, 198), "bind": (49, 200), "listen": (50, 201), "connect": (42, 203),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "fanotify_init": (300, 262),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "mount": (165, 40), "umount2": (166, 39), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "mknodat": (259, 33), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "sethostname": (170, 161), "setdomainname": (171, 162), "syslog": (103, 116), "acct": (163, 89),
    "quotactl": (179, 60), "personality": (135, 92), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "migrate_pages": (256, 238), "move_pages": (279, 239),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "mknod": (133, 33), "modify_ldt": (154, 117), "iopl": (172, 117),
    "ioperm": (173, 117), "vhangup": (153, 58), "uselib": (134, 117),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), (435, 435)


def deny_list(machine: str = "") -> bytes | None:
    """The filter for `bwrap --seccomp`, or None for a machine whose table is not known here (then nothing is run)."""
    machine = machine or platform.machine()
    if machine not in ARCHITECTURE:
        return None
    column = list(ARCHITECTURE).index(machine)
    numbers = sorted({numbers[column] for numbers in DENIED.values()} - {None})  # type: ignore[type-var]
    program = [_step(LOAD, ARCHITECTURE_AT), _step(EQUAL, ARCHITECTURE[machine], 1, 0), _step(RETURN, KILL)]
    program.append(_step(LOAD, NUMBER_AT))
    if machine == "x86_64":
        program += [_step(AT_LEAST, X32, 0, 1), _step(RETURN, ERRNO | errno.EPERM)]
    for number in numbers:
        program += [_step(EQUAL, int(number or 0), 0, 1), _step(RETURN, ERRNO | errno.EPERM)]
    # glibc falls back to `clone`, whose flags a filter can read; those of `clone3` lie behind a pointer
    program += [_step(EQUAL, CLONE3[column], 0, 1), _step(RETURN, ERRNO | errno.ENOSYS)]
    program += [_step(EQUAL, CLONE[column], 0, 3), _step(LOAD, FIRST_ARGUMENT_AT), _step(ANY_BIT, NAMESPACES, 0, 1)]
    program += [_step(RETURN, ERRNO | errno.EPERM), _step(RETURN, ALLOW)]
    return b"".join(program)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One `struct sock_filter`."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
