"""links.py DIRECTORY: hard links, symbolic links, special files, and names."""

import errno
import os
import stat
import sys

from check import drop_caches, expect, refuses

os.chdir(sys.argv[1])


def make(name, data=b""):
    with open(name, "wb") as file:
        file.write(data)


def content(name):
    with open(name, "rb") as file:
        return file.read()


# Hard links are one file.
make("one", b"shared")
os.link("one", "two")
os.mkdir("directory")
os.link("two", "directory/three")
drop_caches()
stats = [os.stat(name) for name in ("one", "two", "directory/three")]
expect("link counts", [s.st_nlink for s in stats], [3, 3, 3])
expect("one inode", len({(s.st_dev, s.st_ino) for s in stats}), 1)
with open("two", "ab") as file:
    file.write(b" bytes")
expect("through another name", content("directory/three"), b"shared bytes")
os.chmod("one", 0o640)
drop_caches()
expect("mode through another name", stat.S_IMODE(os.stat("two").st_mode), 0o640)
os.unlink("one")
drop_caches()
expect("count after unlink", os.stat("two").st_nlink, 2)
expect("content after unlink", content("two"), b"shared bytes")
refuses("a link over a file", errno.EEXIST, os.link, "two", "directory/three")
refuses("a link to a directory", errno.EPERM, os.link, "directory", "directory2")
refuses("a link to nothing", errno.ENOENT, os.link, "one", "four")

# Symbolic links keep their text, whatever it says.
for target in ("two", "/absolute/path", "missing", "../up", "with spaces and ünïcödé", "x" * 1000, "a//b/./c/"):
    os.symlink(target, "link")
    drop_caches()
    expect("a link's text", os.readlink("link"), target)
    expect("a link's size", os.lstat("link").st_size, len(target.encode()))
    expect("a link's type", stat.S_ISLNK(os.lstat("link").st_mode), True)
    os.unlink("link")
os.symlink("two", "good")
os.symlink("missing", "dangling")
os.symlink("directory", "todirectory")
os.symlink("loop2", "loop1")
os.symlink("loop1", "loop2")
expect("read through a link", content("good"), b"shared bytes")
expect("a directory through a link", os.listdir("todirectory"), ["three"])
refuses("a dangling link", errno.ENOENT, os.stat, "dangling")
refuses("a loop", errno.ELOOP, os.stat, "loop1")
refuses("O_NOFOLLOW", errno.ELOOP, os.open, "good", os.O_RDONLY | os.O_NOFOLLOW)
refuses("a link over a link", errno.EEXIST, os.symlink, "other", "good")
refuses("reading a file as a link", errno.EINVAL, os.readlink, "two")
make("dangling", b"made through the link")
expect("made through a dangling link", content("missing"), b"made through the link")
os.link("good", "good2", follow_symlinks=False)
expect("a hard link to a symbolic link", os.readlink("good2"), "two")
os.lchown("good", 12, 34)
expect("a link's owner", (os.lstat("good").st_uid, os.lstat("good").st_gid), (12, 34))
expect("the target's owner", os.stat("good").st_uid, 0)
os.rename("todirectory", "renamed")
expect("renaming renames the link", (os.readlink("renamed"), os.path.isdir("directory")), ("directory", True))

# Special files keep their type and numbers.
for name, kind, device in (
    ("fifo", stat.S_IFIFO, 0),
    ("socket", stat.S_IFSOCK, 0),
    ("character", stat.S_IFCHR, os.makedev(1, 3)),
    ("block", stat.S_IFBLK, os.makedev(259, 70000)),
):
    os.mknod(name, kind | 0o600, device)
    drop_caches()
    found = os.lstat(name)
    expect(f"a {name}'s type", stat.S_IFMT(found.st_mode), kind)
    expect(f"a {name}'s numbers", found.st_rdev, device)
expect("a null device works", os.write(os.open("character", os.O_WRONLY), b"gone"), 4)
os.mkdir("names")
os.chdir("names")

# Names are bytes: everything but / and NUL, up to 255 of them.
names = [
    b"n" * 255,
    "ü".encode() * 127,
    "日本語 русский العربية 👋".encode(),
    b" leading and trailing ",
    b"new\nline",
    b"back\\slash",
    b"-rf",
    b"...",
    b"*?[a]{b,c}$HOME'\"`",
    b"\x01\x7f",
    "é".encode(),
    "e\u0301".encode(),
    b"CASE",
    b"case",
]
for name in names:
    make(name, name)
drop_caches()
expect("names listed", sorted(os.listdir(b".")), sorted(names))
for name in names:
    expect("content by name", content(name), name)
refuses("a name of 256 bytes", errno.ENAMETOOLONG, make, b"n" * 256)
for name in names:
    os.unlink(name)

# Deep paths.
for depth in range(60):
    os.mkdir(f"level{depth:02}")
    os.chdir(f"level{depth:02}")
make("bottom", b"deep")
top = os.path.join(sys.argv[1], "names", *(f"level{depth:02}" for depth in range(60)))
os.chdir(sys.argv[1])
drop_caches()
expect("at the bottom", content(f"{top}/bottom"), b"deep")
