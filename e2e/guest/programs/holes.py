"""holes.py DIRECTORY SEEK SPACE: sparse files.

SEEK  'exact' if lseek finds real holes (4.2 with SEEK), 'trivial' if all is data up to the end (before 4.2)
SPACE 'yes' if space can be reserved and given back (4.2 with ALLOCATE and DEALLOCATE), 'no' if it is refused
"""

import ctypes
import errno
import os
import sys

from check import drop_caches, ensure, expect, refuses

directory, seek, space = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
KEEP_SIZE, PUNCH_HOLE = 1, 2
unit = 2**20


def fallocate(descriptor, mode, offset, length):
    if libc.fallocate(descriptor, mode, offset, length) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


path = f"{directory}/sparse"
with open(path, "w+b", buffering=0) as file:
    descriptor = file.fileno()
    # data [0, 1M), hole [1M, 3M), data [3M, 4M), hole [4M, 8M)
    os.pwrite(descriptor, b"d" * unit, 0)
    os.pwrite(descriptor, b"D" * unit, 3 * unit)
    os.ftruncate(descriptor, 8 * unit)
    os.fsync(descriptor)
    drop_caches()
    expect("content", os.pread(descriptor, 8 * unit, 0), b"d" * unit + bytes(2 * unit) + b"D" * unit + bytes(4 * unit))
    ensure("holes take no space", os.fstat(descriptor).st_blocks * 512 < 3 * unit)

    def data(offset):
        return os.lseek(descriptor, offset, os.SEEK_DATA)

    def hole(offset):
        return os.lseek(descriptor, offset, os.SEEK_HOLE)

    if seek == "exact":
        expect("data from 0", data(0), 0)
        expect("hole from 0", hole(0), unit)
        expect("hole within a hole", hole(2 * unit), 2 * unit)
        expect("data from 1M", data(unit), 3 * unit)
        expect("hole from 3M", hole(3 * unit), 4 * unit)
        refuses("data in the last hole", errno.ENXIO, data, 5 * unit)
    else:
        expect("data from 2M", data(2 * unit), 2 * unit)
        expect("hole from 0", hole(0), 8 * unit)
    expect("hole before the end", hole(8 * unit - 1), 8 * unit - 1 if seek == "exact" else 8 * unit)
    refuses("data at the end", errno.ENXIO, data, 8 * unit)
    refuses("hole at the end", errno.ENXIO, hole, 8 * unit)
    refuses("data far behind", errno.ENXIO, data, 99 * unit)

    if space == "no":
        refuses("allocating", errno.EOPNOTSUPP, fallocate, descriptor, 0, 0, 10 * unit)
        sys.exit(0)

    fallocate(descriptor, PUNCH_HOLE | KEEP_SIZE, unit // 2, unit // 4)
    drop_caches()
    expect("a hole is zeros", os.pread(descriptor, unit, 0), b"d" * (unit // 2) + bytes(unit // 4) + b"d" * (unit // 4))
    expect("a hole leaves the size", os.fstat(descriptor).st_size, 8 * unit)
    if seek == "exact":
        expect("the new hole", hole(0), unit // 2)
        expect("data behind the new hole", data(unit // 2), unit // 2 + unit // 4)

    fallocate(descriptor, 0, 8 * unit, 2 * unit)
    drop_caches()
    expect("allocating grows the file", os.fstat(descriptor).st_size, 10 * unit)
    expect("allocated is zeros", os.pread(descriptor, 2 * unit, 8 * unit), bytes(2 * unit))
    fallocate(descriptor, 0, 0, unit)
    expect("allocating over data keeps it", os.pread(descriptor, 4, 0), b"dddd")
