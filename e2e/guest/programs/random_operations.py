"""random_operations.py MOUNT LOCAL SEED STEPS: the same random operations on two directories, compared after each step.

MOUNT is on the file system under test, LOCAL on one that is trusted (tmpfs). Both must be empty. Each step does one thing on both sides; its
result or errno must be the same, and so must what it touched: type, mode, owner, size, link count, content, the listing of its directory.
From time to time the client's caches are dropped and the whole trees compared. The same seed makes the same steps.
"""

import collections
import errno
import functools
import os
import random
import stat
import sys

from check import drop_caches, shorten, versus

mount, local, seed, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
MAXIMUM = 200_000  # bytes of a file


class Side:
    """One of the two directories, with its open files."""

    def __init__(self, root):
        self.root = root
        self.open = {}

    def path(self, relative):
        return f"{self.root}/{relative}" if relative else self.root


sides = (Side(mount), Side(local))
trusted = sides[1]
handles = {}  # handle -> (device, inode) on the trusted side
history = collections.deque(maxlen=25)
counts = collections.Counter()
next_handle = 0


class Difference(Exception):
    pass


# ---- What there is, by the trusted side.


@functools.cache
def tree():
    """Relative paths by kind: files ('f'), directories ('d', with '' for the root), links ('l')."""
    found = {"d": [""], "f": [], "l": []}
    pending = [""]
    while pending:
        directory = pending.pop()
        for entry in os.scandir(trusted.path(directory)):
            relative = f"{directory}/{entry.name}".lstrip("/")
            if entry.is_symlink():
                found["l"].append(relative)
            elif entry.is_dir():
                found["d"].append(relative)
                pending.append(relative)
            else:
                found["f"].append(relative)
    return {kind: sorted(paths) for kind, paths in found.items()}


def walk(kind):
    return tree()[kind]


def parent(path):
    return os.path.dirname(path)


names = ["a", "b", "c", "dd", "ee", "ff", "name with space", "ünï", "x" * 200] + [f"n{number}" for number in range(12)]


def some(kind):
    found = walk(kind)
    return chance.choice(found) if found else None


def some_name():
    directory = some("d")
    if directory.count("/") >= 4:
        directory = ""
    return f"{directory}/{chance.choice(names)}".lstrip("/")


def some_existing():
    return chance.choice([path for kind in "fdl" for path in walk(kind) if path] or [some_name()])


def some_path():
    return some_existing() if chance.random() < 0.8 else some_name()


def some_data():
    length = chance.choice([0, 1, 10, 511, 512, 4095, 4096, 4097, 10_000, 65_536])
    return chance.randbytes(length)


def some_offset():
    return chance.choice([0, 0, 1, 4095, 4096, 8192, 50_000, chance.randrange(MAXIMUM // 2)])


# ---- The operations. Each is given a side, and the same arguments on both.


def make(side, path, mode):
    os.close(os.open(side.path(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))


def put(side, path, offset, data, flags):
    descriptor = os.open(side.path(path), os.O_WRONLY | flags)
    try:
        return os.pwrite(descriptor, data, offset)
    finally:
        os.close(descriptor)


def get(side, path, offset, length):
    descriptor = os.open(side.path(path), os.O_RDONLY)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)


def utime(side, path, atime, mtime):
    os.utime(side.path(path), ns=(atime, mtime))
    return os.stat(side.path(path)).st_mtime_ns


def listing(side, path):
    return visible(os.listdir(side.path(path)))


def open_handle(side, handle, path, flags):
    side.open[handle] = os.open(side.path(path), flags, 0o644)
    found = os.fstat(side.open[handle])
    if side is trusted:
        handles[handle] = (found.st_dev, found.st_ino)


def close_handle(side, handle):
    os.close(side.open.pop(handle))
    if side is trusted:
        del handles[handle]


def handle_content(side, handle):
    return os.fstat(side.open[handle]).st_size, os.pread(side.open[handle], MAXIMUM * 2, 0)


def append(side, handle, data):
    os.lseek(side.open[handle], 0, os.SEEK_END)
    return os.write(side.open[handle], data)


def copy_range(side, source, target, from_offset, to_offset, length):
    """Copies within the server where it can, through the client where it cannot."""
    with open(side.path(source), "rb") as reader, open(side.path(target), "r+b") as writer:
        copied = 0
        while copied < length:
            count = os.copy_file_range(
                reader.fileno(), writer.fileno(), length - copied, from_offset + copied, to_offset + copied
            )
            if count == 0:
                break
            copied += count
        return copied


def visible(entries):
    """Without the names that the client gives to files that were removed while open."""
    return sorted(name for name in entries if not name.startswith(".nfs"))


def holds_removed_files(path):
    """Whether a directory on the mount cannot be removed though it is empty on the trusted side: the client keeps files in it."""
    try:
        return any(name.startswith(".nfs") for name in os.listdir(sides[0].path(path)))
    except OSError:
        return False


def choose():
    """A step: its name, the function, its arguments, and the paths to compare afterwards."""
    global next_handle
    kind = chance.choices(list(weights), weights.values())[0]
    file = some("f") or some_name()
    match kind:
        case "create":
            path = some_name()
            return kind, make, (path, chance.choice([0o644, 0o600, 0o755, 0o444])), [path]
        case "write":
            flags = chance.choice([0, 0, 0, os.O_TRUNC, os.O_SYNC])
            return kind, put, (file, some_offset(), some_data(), flags), [file]
        case "read":
            return kind, get, (file, some_offset(), chance.choice([1, 4096, 100_000])), [file]
        case "truncate":
            size = chance.choice([0, 1, 4096, 5000, chance.randrange(MAXIMUM)])
            return kind, lambda side, path, size: os.truncate(side.path(path), size), (file, size), [file]
        case "unlink":
            path = some_path()
            return kind, lambda side, path: os.unlink(side.path(path)), (path,), [path]
        case "mkdir":
            path = some_name()
            return kind, lambda side, path: os.mkdir(side.path(path), 0o755), (path,), [path]
        case "rmdir":
            path = some("d") or some_name()
            if holds_removed_files(path):
                return None
            return kind, lambda side, path: os.rmdir(side.path(path)), (path,), [path]
        case "rename":
            old, new = some_existing(), some_path()
            if holds_removed_files(new):
                return None
            return kind, lambda side, old, new: os.rename(side.path(old), side.path(new)), (old, new), [old, new]
        case "link":
            new = some_name()
            return kind, lambda side, old, new: os.link(side.path(old), side.path(new)), (file, new), [file, new]
        case "symlink":
            path, target = some_name(), chance.choice([chance.choice(names), "../a", "n1/n2", "missing", "x" * 500])
            return kind, lambda side, target, path: os.symlink(target, side.path(path)), (target, path), [path]
        case "readlink":
            path = some("l") or some_path()
            return kind, lambda side, path: os.readlink(side.path(path)), (path,), [path]
        case "chmod":
            path = some("d") if chance.random() < 0.3 else file
            mode = chance.choice([0o644, 0o600, 0o777, 0o4755, 0o2750, 0o1777, 0o000, 0o755])
            return kind, lambda side, path, mode: os.chmod(side.path(path), mode), (path, mode), [path]
        case "chown":
            path = some_path()
            ids = chance.choice([(0, 0), (1000, -1), (-1, 1000), (4321, 1234)])
            return kind, lambda side, path, ids: os.lchown(side.path(path), *ids), (path, ids), [path]
        case "utime":
            times = (chance.randrange(2**31) * 10**9, chance.randrange(2**31) * 10**9 + chance.randrange(10**9))
            return kind, utime, (file, *times), [file]
        case "list":
            directory = some("d")
            return kind, listing, (directory,), [directory]
        case "access":
            path = some_path()
            return kind, lambda side, path: os.access(side.path(path), os.X_OK), (path,), [path]
        case "copy":
            target = some("f")
            if target is None:
                return None
            lengths = (chance.randrange(20_000), chance.randrange(50_000), chance.choice([1, 4096, 30_000]))
            if os.path.samefile(trusted.path(file), trusted.path(target)):
                return None  # Overlapping ranges of one file are refused, or not, as the file system likes.
            return kind, copy_range, (file, target, *lengths), [file, target]
        case "open":
            if len(handles) >= 8:
                return None
            next_handle += 1
            flags = os.O_RDWR | chance.choice([0, os.O_CREAT, os.O_CREAT | os.O_TRUNC, os.O_APPEND, os.O_DIRECTORY])
            path = file if chance.random() < 0.8 else some_name()
            return kind, open_handle, (next_handle, path, flags), [path]
    if not handles:
        return None
    handle = chance.choice(sorted(handles))
    match kind:
        case "handle write":
            act = lambda side, handle, data, offset: os.pwrite(side.open[handle], data, offset)
            return kind, act, (handle, some_data(), some_offset()), []
        case "handle append":
            return kind, append, (handle, some_data()), []
        case "handle read":
            return kind, handle_content, (handle,), []
        case "handle truncate":
            act = lambda side, handle, size: os.ftruncate(side.open[handle], size)
            return kind, act, (handle, chance.randrange(MAXIMUM)), []
        case "handle sync":
            return kind, lambda side, handle: os.fsync(side.open[handle]), (handle,), []
        case "handle chmod":
            act = lambda side, handle, mode: os.fchmod(side.open[handle], mode)
            return kind, act, (handle, chance.choice([0o600, 0o644, 0o755])), []
        case "close":
            return kind, close_handle, (handle,), []


weights = {
    "create": 8, "write": 14, "read": 8, "truncate": 5, "unlink": 6, "mkdir": 4, "rmdir": 3, "rename": 8, "link": 4,
    "symlink": 3, "readlink": 2, "chmod": 4, "chown": 3, "utime": 3, "list": 4, "access": 2, "copy": 3, "open": 5,
    "handle write": 6, "handle append": 3, "handle read": 5, "handle truncate": 2, "handle sync": 2, "handle chmod": 1,
    "close": 4,
}  # fmt: skip


# ---- Comparing.


def attempt(act, side, arguments):
    try:
        return "gives", act(side, *arguments)
    except OSError as error:
        return "fails with", errno.errorcode.get(error.errno, error.errno)


def describe(side, path):
    """What can be seen of a path, without what may rightly differ."""
    try:
        found = os.lstat(side.path(path))
    except OSError as error:
        return errno.errorcode.get(error.errno, error.errno)
    kind = stat.S_IFMT(found.st_mode)
    seen = {"type": oct(kind), "owner": (found.st_uid, found.st_gid)}
    if kind == stat.S_IFLNK:
        seen["target"] = os.readlink(side.path(path))
        return seen
    seen["mode"] = oct(stat.S_IMODE(found.st_mode))
    if kind == stat.S_IFDIR:
        seen["names"] = listing(side, path)
        return seen
    seen["size"] = found.st_size
    seen["content"] = get(side, path, 0, MAXIMUM * 2)
    # The client renames what is removed while open, and so keeps one link more than the trusted side has.
    identity = os.lstat(trusted.path(path))
    if (identity.st_dev, identity.st_ino) not in handles.values():
        seen["links"] = found.st_nlink
    return seen


def compare(path):
    under_test, wanted = describe(sides[0], path), describe(trusted, path)
    if under_test == wanted:
        return
    if isinstance(under_test, dict) and isinstance(wanted, dict):
        keys = [key for key in wanted if under_test.get(key) != wanted[key]]
        details = "; ".join(f"{key} {versus(under_test.get(key), wanted[key])}" for key in keys)
        raise Difference(f"{path or '(root)'}: {details}")
    raise Difference(f"{path or '(root)'}: {shorten(under_test)}, expected {shorten(wanted)}")


def compare_everything():
    drop_caches()
    for kind in "dfl":
        for path in walk(kind):
            compare(path)
    for handle in sorted(handles):
        if handle_content(sides[0], handle) != handle_content(trusted, handle):
            raise Difference(f"open file {handle}")


def step():
    chosen = None
    while chosen is None:
        chosen = choose()
    name, act, arguments, touched = chosen
    counts[name] += 1
    history.append(f"{name} {', '.join(shorten(argument) for argument in arguments)}")
    # The mount goes first, so that "handles" and the trees are still those of before.
    results = [attempt(act, side, arguments) for side in sides]
    tree.cache_clear()
    history[-1] += f" -> {shorten(results[1][1])}"
    if results[0] != results[1]:
        raise Difference(f"{results[0][0]} / {results[1][0]}: {versus(results[0][1], results[1][1])}")
    for path in {*touched, *map(parent, touched)}:
        compare(path)


def thin():
    """Keeps the tree at a size with which something happens."""
    for path in walk("f")[40:] + walk("l")[15:]:
        for side in sides:
            os.unlink(side.path(path))
    for path in reversed(walk("d")[20:]):
        if not os.listdir(trusted.path(path)) and not holds_removed_files(path):
            for side in sides:
                os.rmdir(side.path(path))
    tree.cache_clear()


number = 0
try:
    for number in range(1, steps + 1):
        step()
        if number % 250 == 0:
            compare_everything()
        if number % 50 == 0:
            thin()
    compare_everything()
    for handle in sorted(handles):
        for side in sides:
            close_handle(side, handle) if side is trusted else os.close(side.open.pop(handle))
    compare_everything()
except Difference as difference:
    print(f"FAILED at step {number} of seed {seed}: {difference}\nlast steps:")
    print("\n".join(f"  {number - len(history) + 1 + index}: {text}" for index, text in enumerate(history)))
    sys.exit(1)
print(f"seed {seed}: {steps} steps, " + ", ".join(f"{count} {name}" for name, count in counts.most_common()))
