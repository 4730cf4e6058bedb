"""
What an ordinary user does on a mount, and times it: writes a block past every cache, reads it back, compares; lists, renames, removes.

  steady.py DIRECTORY STOP PROGRESS

Adds a line to the file PROGRESS for each round: how many ms its slowest call took, and which that was. Goes on until the file STOP exists, then
prints one JSON object: {"rounds": N, "errors": [...]}.
"""

import json
import mmap
import os
import sys
import time

directory, stop, progress = sys.argv[1:]
os.makedirs(directory, exist_ok=True)
buffer = mmap.mmap(-1, 65536)
rounds = 0
errors = []
slowest = (0.0, "nothing")


def timed(name, function, *args):
    global slowest
    began = time.monotonic()
    result = function(*args)
    slowest = max(slowest, (time.monotonic() - began, name))
    return result


def round_trip():
    path = "%s/file%d" % (directory, rounds % 8)
    content = os.urandom(65536)
    buffer[:] = content
    fd = timed("open", os.open, path, os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o644)
    try:
        timed("write", os.pwrite, fd, buffer, 0)
        buffer[:] = bytes(65536)
        timed("read", os.preadv, fd, [buffer], 0)
        if buffer[:] != content:
            errors.append("round %d: not what was written" % rounds)
    finally:
        timed("close", os.close, fd)
    names = timed("list", os.listdir, directory)
    if os.path.basename(path) not in names:
        errors.append("round %d: the file is not listed" % rounds)
    timed("rename", os.rename, path, path + ".new")
    timed("stat", os.stat, path + ".new")
    timed("remove", os.unlink, path + ".new")


with open(progress, "w", buffering=1) as notes:
    while not os.path.exists(stop):
        slowest = (0.0, "nothing")
        try:
            round_trip()
        except OSError as error:
            errors.append("round %d: %s" % (rounds, error))
            time.sleep(0.1)
        rounds += 1
        notes.write("%d %s\n" % (slowest[0] * 1000, slowest[1]))
        time.sleep(0.02)

print(json.dumps({"rounds": rounds, "errors": errors[:20]}))
