"""file_sizes.py DIRECTORY: appending, truncating, growing, and very large files."""

import os
import sys

from check import drop_caches, ensure, expect

directory = sys.argv[1]


def content(path):
    with open(path, "rb") as file:
        return file.read()


# Appending: every write goes to the end as it is then, whoever moved it. Four processes, no line lost or torn.
log = f"{directory}/log"
children = []
for writer in range(4):
    child = os.fork()
    if child == 0:
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        for line in range(200):
            os.write(descriptor, b"writer %d line %03d %s\n" % (writer, line, b"." * (line % 50)))
        os._exit(0)
    children.append(child)
for child in children:
    expect("a writer's status", os.waitpid(child, 0)[1], 0)
drop_caches()
lines = content(log).decode().splitlines()
expect("lines", len(lines), 800)
for writer in range(4):
    wanted = [f"writer {writer} line {line:03} {'.' * (line % 50)}" for line in range(200)]
    expect(f"lines of writer {writer}, in order", [text for text in lines if text.startswith(f"writer {writer} ")], wanted)

# Truncating: what is cut stays cut, what is grown is zeros.
path = f"{directory}/truncate"
with open(path, "wb") as file:
    file.write(b"0123456789" * 1000)
os.truncate(path, 4321)
expect("size after cutting", os.stat(path).st_size, 4321)
os.truncate(path, 9000)
drop_caches()
expect("cut and grown", content(path), (b"0123456789" * 1000)[:4321] + bytes(9000 - 4321))
os.truncate(path, 0)
expect("cut to nothing", content(path), b"")

# By descriptor, between writes that the client may still hold back.
with open(path, "r+b", buffering=0) as file:
    file.write(b"a" * 100_000)
    os.ftruncate(file.fileno(), 50_000)
    os.pwrite(file.fileno(), b"b" * 10, 60_000)
    os.ftruncate(file.fileno(), 60_005)
    os.fsync(file.fileno())
drop_caches()
expect("writes and cuts in turn", content(path), b"a" * 50_000 + bytes(10_000) + b"b" * 5)

# Opening with O_TRUNC empties the file, and the old bytes never come back.
with open(path, "wb") as file:
    expect("size after O_TRUNC", os.fstat(file.fileno()).st_size, 0)
    os.pwrite(file.fileno(), b"end", 70_000)
drop_caches()
expect("after O_TRUNC", content(path), bytes(70_000) + b"end")

# Beyond 32 bits, and up to what a signed 64-bit offset can say on most file systems.
for exponent in (31, 32, 40):
    offset = 2**exponent - 3
    path = f"{directory}/large{exponent}"
    with open(path, "w+b", buffering=0) as file:
        os.pwrite(file.fileno(), b"across", offset)
        os.fsync(file.fileno())
        drop_caches()
        expect(f"size with a byte at 2^{exponent}", os.fstat(file.fileno()).st_size, offset + 6)
        expect(f"bytes at 2^{exponent}", os.pread(file.fileno(), 10, offset - 2), b"\0\0across")
        expect("beyond the end", os.pread(file.fileno(), 10, offset + 6), b"")
    os.unlink(path)

# The blocks of a file that is mostly nothing are few.
path = f"{directory}/sparse"
with open(path, "w+b", buffering=0) as file:
    os.pwrite(file.fileno(), b"x", 64 * 2**20)
    os.fsync(file.fileno())
drop_caches()
ensure("a sparse file takes little space", os.stat(path).st_blocks * 512 < 8 * 2**20)
