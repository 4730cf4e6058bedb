"""many_files.py DIRECTORY COUNT: one large directory made, listed while it changes, and removed."""

import os
import random
import sys
import time

from check import drop_caches, expect

directory, count = sys.argv[1], int(sys.argv[2])
os.chdir(directory)
began = time.monotonic()


def lap(what):
    global began
    now = time.monotonic()
    print(f"{what}: {now - began:.1f} s")
    began = now


def name(index):
    return f"file-{index:06}-{'x' * (index % 40)}"


def duplicates(names):
    return sorted(found for found in set(names) if names.count(found) > 1) if len(set(names)) != len(names) else []


for index in range(count):
    os.close(os.open(name(index), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
lap("create")
expect("created, from the client's cache", sorted(os.listdir(".")), sorted(map(name, range(count))))
drop_caches()
expect("created, from the server", sorted(os.listdir(".")), sorted(map(name, range(count))))

lap("list")

# Half are removed and as many others made while another process lists. Every listing has each file that is there all the time
# exactly once, and none that never was.
stay = set(map(name, range(0, count, 2)))
leave = list(map(name, range(1, count, 2)))
come = [f"new-{index:06}" for index in range(len(leave))]
changer = os.fork()
if changer == 0:
    random.seed(count)
    random.shuffle(leave)
    for old, new in zip(leave, come):
        os.unlink(old)
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    os._exit(0)
possible = stay.union(leave, come)
listings = 0
while os.waitpid(changer, os.WNOHANG)[0] == 0:
    names = [entry.name for entry in os.scandir(".")]
    listings += 1
    expect(f"listing {listings} has duplicates", duplicates(names), [])
    expect(f"listing {listings} lacks files", sorted(stay.difference(names))[:5], [])
    expect(f"listing {listings} invents files", sorted(set(names).difference(possible))[:5], [])
    time.sleep(0.2)  # Listing keeps the changer out of the directory.
lap(f"{listings} listings while changing")
drop_caches()
expect("after the changes", sorted(os.listdir(".")), sorted(stay.union(come)))

# Removed as rm -r does it: while one handle on the directory is being read.
with os.scandir(".") as entries:
    for entry in entries:
        os.unlink(entry.name)
left = os.listdir(".")
for other in left:
    os.unlink(other)
drop_caches()
expect("at the end", os.listdir("."), [])
expect("its links", os.stat(".").st_nlink, 2)
lap(f"remove ({len(left)} files left by one pass of scandir and unlink)")
