"""actor.py DIRECTORY: a process that does single system calls on demand, so that a test can say who does what when.

Reads one JSON object a line from the FIFO DIRECTORY/in, answers each with one line in the FIFO DIRECTORY/out:
{"value": …} or {"error": "EAGAIN"}. Open files have names that the test chooses. Ends when told to, or killed.
"""

import errno
import fcntl
import json
import os
import struct
import sys
import time

LOCKS = {"read": fcntl.F_RDLCK, "write": fcntl.F_WRLCK, "unlock": fcntl.F_UNLCK}
FLOCKS = {"shared": fcntl.LOCK_SH, "exclusive": fcntl.LOCK_EX, "unlock": fcntl.LOCK_UN}
LOCK_STRUCT = "hhqqi4x"  # struct flock of x86-64: l_type, l_whence, l_start, l_len, l_pid
files = {}


def lock(file, kind, start, length, wait):
    command = fcntl.F_SETLKW if wait else fcntl.F_SETLK
    fcntl.fcntl(files[file], command, struct.pack(LOCK_STRUCT, LOCKS[kind], os.SEEK_SET, start, length, 0))


def conflict(file, kind, start, length):
    """F_GETLK: the lock that is in the way of this one, or null."""
    question = struct.pack(LOCK_STRUCT, LOCKS[kind], os.SEEK_SET, start, length, 0)
    found, _, start, length, _ = struct.unpack(LOCK_STRUCT, fcntl.fcntl(files[file], fcntl.F_GETLK, question))
    if found == fcntl.F_UNLCK:
        return None
    return {"kind": "read" if found == fcntl.F_RDLCK else "write", "start": start, "length": length}


def count(file, times):
    """Increments the decimal number in a file, under a lock that excludes all others, so many times."""
    for _ in range(times):
        pause = 0.005
        while True:
            try:
                lock(file, "write", 0, 0, False)
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
                time.sleep(pause)
                pause = min(pause * 1.5, 0.1)
        number = int(os.pread(files[file], 20, 0) or b"0")
        os.pwrite(files[file], b"%019d\n" % (number + 1), 0)
        lock(file, "unlock", 0, 0, False)


def open_file(file, path, flags, mode):
    files[file] = os.open(path, sum(getattr(os, f"O_{flag}") for flag in set(flags)), mode)


def stat(file):
    found = os.fstat(files[file])
    return {"size": found.st_size, "links": found.st_nlink, "inode": str(found.st_ino)}


operations = {
    "open": open_file,
    "close": lambda file: os.close(files.pop(file)),
    "read": lambda file, offset, length: os.pread(files[file], length, offset).decode("latin-1"),
    "write": lambda file, offset, data: os.pwrite(files[file], data.encode("latin-1"), offset),
    "sync": lambda file: os.fsync(files[file]),
    "stat": stat,
    "lock": lock,
    "conflict": conflict,
    "flock": lambda file, kind, wait: fcntl.flock(files[file], FLOCKS[kind] | (0 if wait else fcntl.LOCK_NB)),
    "count": count,
    "pid": os.getpid,
    "exit": lambda: sys.exit(0),
}

# Open for writing too, so that it does not end when a writer closes it.
with os.fdopen(os.open(f"{sys.argv[1]}/in", os.O_RDWR), "r") as requests:
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"value": operations[request.pop("operation")](**request)}
        except OSError as error:
            answer = {"error": errno.errorcode.get(error.errno, str(error.errno))}
        with open(f"{sys.argv[1]}/out", "w") as answers:
            answers.write(json.dumps(answer) + "\n")
