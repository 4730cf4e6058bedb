"""databases.py DIRECTORY WRITERS TRANSACTIONS: SQLite in all journal modes, with concurrent writers."""

import os
import sqlite3
import sys
import time

from check import drop_caches, expect

os.chdir(sys.argv[1])
writers, transactions = int(sys.argv[2]), int(sys.argv[3])


def connect(name, mode):
    connection = sqlite3.connect(name, timeout=60, isolation_level=None)
    expect("journal mode", connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0], mode)
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def write(name, mode, writer):
    connection = connect(name, mode)
    for number in range(transactions):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE account SET balance = balance + 1 WHERE id = ?", (number % 10,))
        connection.execute("UPDATE account SET balance = balance - 1 WHERE id = ?", ((number + writer + 1) % 10,))
        connection.execute("INSERT INTO entry VALUES (?, ?, ?)", (writer, number, "x" * (number * 37 % 3000)))
        # Every fifth is taken back: the journal has to bring the pages back as they were.
        connection.execute("ROLLBACK" if number % 5 == 4 else "COMMIT")
    connection.close()


for mode in ("delete", "truncate", "persist", "memory", "wal"):
    began = time.monotonic()
    name = f"{mode}.db"
    connection = connect(name, mode)
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)")
    connection.execute("CREATE TABLE entry (writer INTEGER, number INTEGER, text TEXT, PRIMARY KEY (writer, number))")
    connection.executemany("INSERT INTO account VALUES (?, 1000)", [(id,) for id in range(10)])
    connection.execute("COMMIT")
    connection.close()

    children = []
    for writer in range(writers):
        child = os.fork()
        if child == 0:
            write(name, mode, writer)
            os._exit(0)
        children.append(child)
    for child in children:
        expect(f"{mode}: a writer's status", os.waitpid(child, 0)[1], 0)

    drop_caches()
    connection = connect(name, mode)
    expect(f"{mode}: integrity", connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
    expect(f"{mode}: money", connection.execute("SELECT sum(balance) FROM account").fetchone()[0], 10_000)
    kept = [(writer, number) for writer in range(writers) for number in range(transactions) if number % 5 != 4]
    expect(f"{mode}: entries", connection.execute("SELECT writer, number FROM entry ORDER BY 1, 2").fetchall(), kept)
    lengths = connection.execute("SELECT count(*) FROM entry WHERE length(text) <> number * 37 % 3000").fetchone()[0]
    expect(f"{mode}: entries that are damaged", lengths, 0)
    connection.execute("VACUUM")
    expect(f"{mode}: integrity after VACUUM", connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
    connection.close()
    print(f"{mode}: {time.monotonic() - began:.1f} s")
