"""renaming.py DIRECTORY: rename, above all over files that are open; and unlinked files that are still in use."""

import errno
import os
import sys
import time

from check import drop_caches, ensure, expect, refuses

os.chdir(sys.argv[1])


def make(name, data=b""):
    with open(name, "wb") as file:
        file.write(data)
    return os.stat(name).st_ino


def names():
    """What is in the directory. What Linux has renamed aside because it was open (4.0) it removes in the background, some time after the last close."""
    for _ in range(100):
        found = sorted(os.listdir("."))
        if not any(name.startswith(".nfs") for name in found):
            break
        time.sleep(0.1)
    return found


def content(name):
    with open(name, "rb") as file:
        return file.read()


# Over an open file: who has it open goes on with the old one, who opens it gets the new one.
make("target", b"old" * 10_000)
new = make("source", b"new")
with open("target", "r+b", buffering=0) as file:
    os.rename("source", "target")
    drop_caches()
    expect("by descriptor", os.pread(file.fileno(), 30_000, 0), b"old" * 10_000)
    expect("by name", content("target"), b"new")
    os.pwrite(file.fileno(), b"OLD", 0)
    os.fsync(file.fileno())
    expect("the new file is not touched", content("target"), b"new")
expect("the file that moved", os.stat("target").st_ino, new)
expect("names", names(), ["target"])

# An open file that is renamed stays open, and can be written under its new name.
with open("target", "r+b", buffering=0) as file:
    os.rename("target", "moved")
    os.pwrite(file.fileno(), b"written while moving", 0)
    os.fsync(file.fileno())
    drop_caches()
    expect("moved while open", content("moved"), b"written while moving")
refuses("the old name", errno.ENOENT, os.stat, "target")

# Unlinked while open: reading, writing and its attributes go on; the name is free; nothing is left after the last close.
make("unlinked", b"u" * 200_000)
with open("unlinked", "r+b", buffering=0) as first, open("unlinked", "rb", buffering=0) as second:
    os.unlink("unlinked")
    refuses("its name", errno.ENOENT, os.stat, "unlinked")
    make("unlinked", b"another")
    drop_caches()
    expect("an unlinked file is read", os.pread(second.fileno(), 200_000, 0), b"u" * 200_000)
    os.pwrite(first.fileno(), b"tail", 200_000)
    os.fsync(first.fileno())
    drop_caches()
    expect("an unlinked file grows", os.fstat(second.fileno()).st_size, 200_004)
    expect("an unlinked file is written", os.pread(second.fileno(), 10, 199_998), b"uutail")
    os.ftruncate(first.fileno(), 3)
    expect("an unlinked file is cut", os.fstat(second.fileno()).st_size, 3)
expect("the file of the same name", content("unlinked"), b"another")
expect("nothing is left", names(), ["moved", "unlinked"])
os.unlink("unlinked")

# Directories.
os.makedirs("a/b/c")
os.mkdir("empty")
os.rename("a/b", "empty")
expect("a directory over an empty one", os.listdir("empty"), ["c"])
os.mkdir("full")
make("full/file")
refuses("a directory over a full one", errno.ENOTEMPTY, os.rename, "empty", "full")
refuses("a directory over a file", errno.ENOTDIR, os.rename, "empty", "moved")
refuses("a file over a directory", errno.EISDIR, os.rename, "moved", "empty")
refuses("a directory into itself", errno.EINVAL, os.rename, "empty", "empty/c/d")
refuses("what is not there", errno.ENOENT, os.rename, "missing", "anything")
refuses("into what is not there", errno.ENOENT, os.rename, "moved", "missing/anything")
before = os.stat("full").st_nlink
os.rename("empty/c", "full/c")
expect("links of the new parent", os.stat("full").st_nlink, before + 1)
expect("links of the old parent", os.stat("empty").st_nlink, 2)
expect("the moved directory's parent", os.stat("full/c/..").st_ino, os.stat("full").st_ino)

# Onto itself, and onto another name of itself: nothing happens (POSIX), and both names stay.
os.rename("moved", "moved")
os.link("moved", "alias")
os.rename("moved", "alias")
expect("two names of one file", sorted(n for n in os.listdir(".") if n in ("moved", "alias")), ["alias", "moved"])

# Back and forth, quickly: the file is always found under exactly one name.
os.unlink("alias")
for round in range(200):
    os.rename("moved", "full/moved")
    os.rename("full/moved", "moved")
expect("after many renames", content("moved"), b"written while moving")

# A reader never misses a file that is replaced by rename.
make("replaced", b"0")
replacer = os.fork()
if replacer == 0:
    for version in range(1, 301):
        make("replacement", b"%d" % version)
        os.rename("replacement", "replaced")
    os._exit(0)
last = 0
while os.waitpid(replacer, os.WNOHANG)[0] == 0:
    version = int(content("replaced"))
    ensure(f"version {version} came after {last}", version >= last)
    last = version
expect("the last version", content("replaced"), b"300")
