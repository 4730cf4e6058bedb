"""permissions.py DIRECTORY: who may do what, as other users and groups. Run as root; the server must not squash root."""

import errno
import os
import stat
import sys
import traceback

from check import drop_caches, expect, refuses

os.chdir(sys.argv[1])
os.chmod(".", 0o755)
ALICE, BOB = 5001, 5002
STAFF, TEAM, OTHERS = 6001, 6002, 6003


def make(name, mode, uid, gid, data=b"data"):
    with open(name, "wb") as file:
        file.write(data)
    os.chown(name, uid, gid)
    os.chmod(name, mode)


def make_directory(name, mode, uid, gid):
    os.mkdir(name)
    os.chown(name, uid, gid)
    os.chmod(name, mode)


def acting_as(uid, gid, groups=()):
    """Decorates a function that runs at once, in a child with that identity, and whose failure is the program's."""

    def run(function):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setgroups(groups)
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)
                function()
                status = 0
            except SystemExit as end:
                print(end.code, f"(in {function.__name__})", flush=True)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            os._exit(status)
        if os.waitpid(child, 0)[1] != 0:
            sys.exit(1)

    return run


def read(name):
    with open(name, "rb") as file:
        return file.read()


def append(name, data=b"more"):
    with open(name, "ab") as file:
        file.write(data)


make("owner-only", 0o600, ALICE, STAFF)
make("group-reads", 0o640, ALICE, STAFF)
make("group-writes", 0o660, ALICE, TEAM)
make("all-read", 0o644, ALICE, STAFF)
make("owner-shut-out", 0o044, ALICE, STAFF)
make("program", 0o711, ALICE, STAFF)
make_directory("private", 0o700, ALICE, STAFF)
make("private/inside", 0o666, ALICE, STAFF)
make_directory("pass-through", 0o711, ALICE, STAFF)
make("pass-through/known", 0o644, ALICE, STAFF)
make_directory("shared", 0o2775, ALICE, TEAM)
make_directory("sticky", 0o1777, 0, 0)
make("sticky/alices", 0o666, ALICE, STAFF)


@acting_as(ALICE, STAFF)
def the_owner():
    expect("reads her own", read("owner-only"), b"data")
    append("owner-only")
    append("private/inside")
    refuses("the owner's bits come first", errno.EACCES, read, "owner-shut-out")
    expect("access() knows", (os.access("owner-only", os.R_OK | os.W_OK), os.access("program", os.X_OK)), (True, True))
    os.chmod("all-read", 0o604)
    refuses("giving away", errno.EPERM, os.chown, "all-read", BOB, -1)
    refuses("a group that she is not in", errno.EPERM, os.chown, "all-read", -1, OTHERS)
    # Permission is decided when the file is opened: its creator may write what nobody may open for writing.
    descriptor = os.open("private/readonly", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o400)
    os.write(descriptor, b"written by its creator")
    os.fsync(descriptor)
    os.fchmod(descriptor, 0)
    os.write(descriptor, b", twice")
    os.fsync(descriptor)
    expect("read back", os.pread(descriptor, 100, 0), b"written by its creator, twice")
    os.close(descriptor)
    refuses("opened again", errno.EACCES, read, "private/readonly")
    os.unlink("private/readonly")


@acting_as(BOB, OTHERS)
def a_stranger():
    refuses("reads hers", errno.EACCES, read, "owner-only")
    refuses("reads the group's", errno.EACCES, read, "group-reads")
    refuses("writes what all read", errno.EACCES, append, "all-read")
    expect("reads what all read", read("all-read"), b"data")
    expect("reads where the owner may not", read("owner-shut-out"), b"data")
    refuses("enters", errno.EACCES, read, "private/inside")
    refuses("lists", errno.EACCES, os.listdir, "private")
    refuses("lists where he may only pass", errno.EACCES, os.listdir, "pass-through")
    expect("passes to a known name", read("pass-through/known"), b"data")
    refuses("makes a file", errno.EACCES, append, "pass-through/new")
    refuses("makes a directory", errno.EACCES, os.mkdir, "pass-through/new")
    refuses("removes", errno.EACCES, os.unlink, "pass-through/known")
    refuses("renames", errno.EACCES, os.rename, "pass-through/known", "sticky/known")
    refuses("links into", errno.EACCES, os.symlink, "x", "pass-through/link")
    refuses("changes her mode", errno.EPERM, os.chmod, "all-read", 0o777)
    refuses("sets her times", errno.EPERM, os.utime, "all-read", (1, 1))
    refuses("touches", errno.EACCES, os.utime, "all-read")
    refuses("truncates", errno.EACCES, os.truncate, "all-read", 0)
    expect("access() knows", (os.access("owner-only", os.R_OK), os.access("all-read", os.R_OK)), (False, True))
    refuses("removes hers from a sticky directory", errno.EPERM, os.unlink, "sticky/alices")
    refuses("renames hers in a sticky directory", errno.EPERM, os.rename, "sticky/alices", "sticky/bobs")
    append("sticky/alices")
    append("sticky/own")
    expect("the owner of what he makes", os.stat("sticky/own").st_uid, BOB)
    os.unlink("sticky/own")


@acting_as(BOB, OTHERS, groups=[STAFF, TEAM])
def one_with_supplementary_groups():
    expect("reads the group's", read("group-reads"), b"data")
    refuses("writes what the group reads", errno.EACCES, append, "group-reads")
    append("group-writes")
    refuses("reads the owner's", errno.EACCES, read, "owner-only")
    # A set-group-ID directory gives its group to what is made inside, and the bit to directories.
    append("shared/file")
    os.mkdir("shared/sub")
    expect("group of a file", (os.stat("shared/file").st_uid, os.stat("shared/file").st_gid), (BOB, TEAM))
    expect("group of a directory", os.stat("shared/sub").st_gid, TEAM)
    expect("its bit", bool(os.stat("shared/sub").st_mode & stat.S_ISGID), True)
    # His own file may go to any of his groups.
    os.chown("shared/file", -1, STAFF)
    expect("given to another group of his", os.stat("shared/file").st_gid, STAFF)


@acting_as(BOB, OTHERS, groups=[7000 + number for number in range(14)] + [TEAM])
def one_in_the_last_of_many_groups():
    append("group-writes")


@acting_as(ALICE, STAFF)
def set_id_bits():
    # Writing to a set-ID program takes the bits away, if the writer is not root.
    append("private/setid")
    os.chmod("private/setid", 0o6755)
    append("private/setid")
    expect("set-ID bits after write", oct(stat.S_IMODE(os.stat("private/setid").st_mode)), oct(0o755))


drop_caches()
expect("set-ID bits on the server", oct(stat.S_IMODE(os.stat("private/setid").st_mode)), oct(0o755))
expect("root passes everywhere", (read("private/inside"), read("owner-shut-out")), (b"datamore", b"data"))
expect("what the group wrote", read("group-writes"), b"datamoremore")
