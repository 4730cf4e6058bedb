"""mapping.py DIRECTORY: memory mappings of files on the mount."""

import mmap
import os
import sys

from check import drop_caches, ensure, expect

directory = sys.argv[1]
page = mmap.PAGESIZE


def make(name, data):
    path = f"{directory}/{name}"
    with open(path, "wb") as file:
        file.write(data)
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


# What is written through a shared mapping is read through the file, at once by this client and later from the server.
pattern = bytes(range(256)) * 64
path = make("shared", pattern)
with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as shared:
    expect("mapped content", shared[:], pattern)
    shared[100:110] = b"0123456789"
    shared[-5:] = b"ENDED"
    wanted = pattern[:100] + b"0123456789" + pattern[110:-5] + b"ENDED"
    expect("read beside the mapping", content(path), wanted)
    shared.flush()
    drop_caches()
    expect("read after msync", content(path), wanted)
    # And the other way: a write is seen through the mapping.
    os.pwrite(file.fileno(), b"written", 5000)
    expect("mapping after write", shared[5000:5007], b"written")

# Closing alone must bring dirty mapped pages to the server too.
path = make("closed", bytes(10 * page))
with open(path, "r+b") as file:
    shared = mmap.mmap(file.fileno(), 0)
    for index in range(10):
        shared[index * page + index] = index + 1
    shared.close()
drop_caches()
data = content(path)
expect("pages after munmap", [data[index * page + index] for index in range(10)], list(range(1, 11)))
expect("size after munmap", len(data), 10 * page)

# A private mapping changes nothing in the file.
path = make("private", pattern)
with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as private:
    private[0:4] = b"mine"
    expect("the private copy", private[:4], b"mine")
drop_caches()
expect("file under a private mapping", content(path), pattern)

# A file cut under its mapping: the rest of the page is zeros, and what is written there stays out of the file.
path = make("cut", b"x" * page)
with open(path, "r+b") as file, mmap.mmap(file.fileno(), page) as cut:
    os.ftruncate(file.fileno(), 1000)
    expect("before the cut", cut[:1000], b"x" * 1000)
    expect("behind the cut", cut[1000:page], bytes(page - 1000))
    cut[2000] = 7
    cut[999] = ord("y")
    os.fsync(file.fileno())
drop_caches()
expect("size of the cut file", os.stat(path).st_size, 1000)
expect("content of the cut file", content(path), b"x" * 999 + b"y")

# A file grown under its mapping shows its new bytes.
path = make("grown", b"a" * page)
with open(path, "r+b") as file:
    os.ftruncate(file.fileno(), 3 * page)
    with mmap.mmap(file.fileno(), 3 * page) as grown:
        expect("grown part", grown[page : 3 * page], bytes(2 * page))
        grown[3 * page - 1] = 9
drop_caches()
data = content(path)
expect("grown file", (len(data), data[:page], data[-1]), (3 * page, b"a" * page, 9))

# Two processes share one mapping.
path = make("two", bytes(page))
with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as shared:
    child = os.fork()
    if child == 0:
        shared[17] = 42
        os._exit(0)
    os.waitpid(child, 0)
    ensure("the other process's byte is there", shared[17] == 42)
