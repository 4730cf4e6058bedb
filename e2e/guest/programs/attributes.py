"""attributes.py DIRECTORY GRANULARITY LINKTIMES: modes, owners, times, link counts, numbers, statfs.

GRANULARITY  that of the server's times, in ns
LINKTIMES    'yes' if the times of symbolic links can be set
"""

import errno
import os
import stat
import sys
import time

from check import drop_caches, ensure, expect, refuses

os.chdir(sys.argv[1])
granularity = int(sys.argv[2])


def make(name, data=b""):
    with open(name, "wb") as file:
        file.write(data)


def fresh(name):
    """The attributes as the server has them."""
    drop_caches()
    return os.stat(name, follow_symlinks=False)


# chmod: all twelve bits, of files and directories.
make("file", b"data")
os.mkdir("directory")
for name in ("file", "directory"):
    for mode in (0o000, 0o777, 0o644, 0o4755, 0o2755, 0o1777, 0o7777, 0o600):
        os.chmod(name, mode)
        expect(f"mode of the {name}", oct(stat.S_IMODE(fresh(name).st_mode)), oct(mode))
os.chmod("directory", 0o755)

# umask, and the mode given when something is made.
old = os.umask(0o027)
os.close(os.open("masked", os.O_CREAT | os.O_WRONLY, 0o666))
os.mkdir("maskeddirectory", 0o777)
os.umask(old)
expect("a masked file", oct(stat.S_IMODE(fresh("masked").st_mode)), oct(0o640))
expect("a masked directory", oct(stat.S_IMODE(fresh("maskeddirectory").st_mode)), oct(0o750))

# chown, each half alone too; the kernel takes away set-user-ID and set-group-ID when a file changes hands.
for uid, gid in ((1000, 2000), (0, 0), (4294967294, 65534), (123456789, 4000000000)):
    os.chown("file", uid, gid)
    found = fresh("file")
    expect("owner and group", (found.st_uid, found.st_gid), (uid, gid))
os.chown("file", 7, -1)
os.chown("file", -1, 8)
expect("each alone", (fresh("file").st_uid, fresh("file").st_gid), (7, 8))
os.chmod("file", 0o6755)
os.chown("file", 9, 9)
expect("set-ID bits after chown", oct(stat.S_IMODE(fresh("file").st_mode)), oct(0o755))
os.chown("file", 0, 0)

# utimes, in ns, before 1970 and after 2038.
for atime, mtime in (
    (1_000_000_000_123_456_789, 1_234_567_890_987_654_321),
    (1, 999_999_999),
    (0, 0),
    (4_102_444_800_000_000_001, 3_000_000_000_500_000_000),
    (-1_000_000_000, -86_400_000_000_000),
):
    os.utime("file", ns=(atime, mtime))
    found = fresh("file")
    expect("atime", found.st_atime_ns // granularity, atime // granularity)
    expect("mtime", found.st_mtime_ns // granularity, mtime // granularity)
os.utime("directory", ns=(5_000_000_000, 6_000_000_000))
expect("a directory's mtime", fresh("directory").st_mtime_ns, 6_000_000_000)
os.symlink("file", "link")
if sys.argv[3] == "yes":
    os.utime("link", ns=(7_000_000_000, 8_000_000_000), follow_symlinks=False)
    expect("a link's mtime", fresh("link").st_mtime_ns, 8_000_000_000)

# "Now" is the server's now, and the clocks here are one.
os.utime("file")
ensure("the time of touch is near", abs(fresh("file").st_mtime - time.time()) < 5)


# What moves which time. Between two acts the clock has to move on, by more than a tick of the kernel's.
def moved(act):
    before = fresh("file")
    time.sleep(0.03)
    act()
    after = fresh("file")
    return {key for key in ("mtime", "ctime") if getattr(after, f"st_{key}_ns") != getattr(before, f"st_{key}_ns")}


def write():
    with open("file", "r+b") as file:
        file.write(b"x")


def read():
    with open("file", "rb") as file:
        file.read()


expect("moved by write", moved(write), {"mtime", "ctime"})
expect("moved by truncate", moved(lambda: os.truncate("file", 2)), {"mtime", "ctime"})
expect("moved by chmod", moved(lambda: os.chmod("file", 0o604)), {"ctime"})
expect("moved by chown", moved(lambda: os.chown("file", 3, 3)), {"ctime"})
expect("moved by link", moved(lambda: os.link("file", "linked")), {"ctime"})
expect("moved by unlink", moved(lambda: os.unlink("linked")), {"ctime"})
expect("moved by rename", moved(lambda: os.rename("file", "file")), set())
expect("moved by read", moved(read), set())
expect("moved by utime", moved(lambda: os.utime("file", ns=(1, 2_000_000_000))), {"mtime", "ctime"})

# Making and removing something moves its directory's times.
for what, act in (
    ("create", lambda: make("directory/new")),
    ("rename", lambda: os.rename("directory/new", "directory/newer")),
    ("unlink", lambda: os.unlink("directory/newer")),
    ("mkdir", lambda: os.mkdir("directory/sub")),
    ("rmdir", lambda: os.rmdir("directory/sub")),
):
    before = fresh("directory")
    time.sleep(0.03)
    act()
    after = fresh("directory")
    ensure(f"{what} moves the directory's mtime", after.st_mtime_ns > before.st_mtime_ns)
    ensure(f"{what} moves the directory's ctime", after.st_ctime_ns > before.st_ctime_ns)

# A directory counts its subdirectories.
os.makedirs("directory/a")
os.makedirs("directory/b")
make("directory/c")
expect("links of a directory", fresh("directory").st_nlink, 4)

# Identity: an inode number for each, and it stays.
numbers = {name: fresh(name).st_ino for name in ("file", "directory", "link", "masked")}
expect("different inode numbers", len(set(numbers.values())), 4)
expect("inode numbers again", {name: fresh(name).st_ino for name in numbers}, numbers)
listed = {entry.name: entry.inode() for entry in os.scandir(".") if entry.name in numbers}
expect("inode numbers in the listing", listed, numbers)

# statfs
file_system = os.statvfs(".")
ensure("blocks", 0 < file_system.f_bavail <= file_system.f_bfree <= file_system.f_blocks)
ensure("inodes", file_system.f_files == 0 or 0 < file_system.f_ffree <= file_system.f_files)
expect("longest name", file_system.f_namemax, 255)
refuses("statfs of nothing", errno.ENOENT, os.statvfs, "missing")
