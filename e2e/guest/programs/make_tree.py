"""make_tree.py DIRECTORY FILES SEED: a tree with everything that an archive can hold: sizes, modes, owners, times in ns, links, odd names."""

import os
import random
import sys

directory, files, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3]
chance = random.Random(seed)
os.makedirs(directory)
os.chdir(directory)
directories = ["."]
made = []
for index in range(files // 20):
    path = f"{chance.choice(directories[-8:])}/dir {index}" if index % 7 == 0 else f"{chance.choice(directories[-8:])}/d{index}"
    os.mkdir(path)
    directories.append(path)
for index in range(files):
    path = f"{chance.choice(directories)}/{chance.choice(['file', 'füllhorn', 'with space', 'x' * 120])}-{index}"
    kind = chance.random()
    if kind < 0.05:
        os.symlink(chance.choice(["../file-1", "nowhere", "/etc/passwd", "x" * 200]), path)
    elif kind < 0.10 and made:
        os.link(chance.choice(made), path)
    else:
        with open(path, "wb") as file:
            file.write(chance.randbytes(int(chance.paretovariate(0.6) * 100) % 300_000))
        os.chown(path, chance.choice([0, 1000, 70000]), chance.choice([0, 100, 90000]))
        os.chmod(path, chance.choice([0o644, 0o600, 0o755, 0o4755, 0o444]))
        made.append(path)
for path in made + directories[::-1]:
    os.utime(path, ns=(10**18, chance.randrange(10**18, 17 * 10**17)))
