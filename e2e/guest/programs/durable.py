"""durable.py write|check DIRECTORY NOTES: what the server has promised to keep.

write  appends records to a file and makes files, calls fsync after each, and then notes in NOTES (on a local file system) that it was
       promised, until NOTES.stop exists
check  finds everything that was noted, or fails
"""

import os
import sys
import zlib

from check import drop_caches, ensure, expect

act, directory, notes = sys.argv[1:]
SIZE = 4096


def record(number):
    body = b"record %d " % number + bytes((number * 31 + index) % 256 for index in range(200)) * 21
    body = body[: SIZE - 4]
    return body + zlib.crc32(body).to_bytes(4, "big")


def fsync_directory(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def rename(old, new):
    """A server that has forgotten its clients executes again what it had done before it could answer; then the old name is gone."""
    try:
        os.rename(old, new)
    except FileNotFoundError:
        os.stat(new)


def unlink(name):
    """The same for this."""
    try:
        os.unlink(name)
    except FileNotFoundError:
        pass


def write():
    descriptor = os.open(f"{directory}/log", os.O_WRONLY | os.O_CREAT, 0o644)
    os.makedirs(f"{directory}/files")
    noted = open(notes, "w", buffering=1)
    number = 0
    while not os.path.exists(f"{notes}.stop"):
        os.pwrite(descriptor, record(number), number * SIZE)
        os.fsync(descriptor)
        noted.write(f"record {number}\n")
        if number % 5 == 0:
            name = f"{directory}/files/{number}"
            file = os.open(f"{name}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.write(file, record(number))
            os.fsync(file)
            os.close(file)
            rename(f"{name}.new", name)
            fsync_directory(f"{directory}/files")
            noted.write(f"file {number}\n")
        if number % 7 == 0 and number >= 35:
            gone = number // 7 * 5 - 25
            unlink(f"{directory}/files/{gone}")
            fsync_directory(f"{directory}/files")
            noted.write(f"gone {gone}\n")
        number += 1


def check():
    drop_caches()
    with open(notes) as file:
        promised = [line.split() for line in file]
    records = [int(number) for kind, number in promised if kind == "record"]
    gone = {number for kind, number in promised if kind == "gone"}
    files = {number for kind, number in promised if kind == "file"} - gone
    with open(f"{directory}/log", "rb") as log:
        for number in records:
            log.seek(number * SIZE)
            expect(f"record {number} of {len(records)}", log.read(SIZE), record(number))
    found = set(os.listdir(f"{directory}/files"))
    expect("files that were promised and are missing", sorted(files - found), [])
    expect("files that were removed and are back", sorted(gone & found), [])
    ensure("no more files than the one under way", len(found - files) <= 1)
    for number in files:
        with open(f"{directory}/files/{number}", "rb") as file:
            expect(f"file {number}", file.read(), record(int(number)))
    print(f"{len(records)} records, {len(files)} files, {len(gone)} removals kept")


{"write": write, "check": check}[act]()
