"""What the programs of this directory expect, and how they say that they did not get it."""

import errno
import sys
import zlib


def expect(what, actual, wanted):
    """Ends the program unless the two are equal."""
    if actual != wanted:
        sys.exit(f"FAILED: {what}: {versus(actual, wanted)}")


def ensure(what, condition):
    """Ends the program unless the condition holds."""
    if not condition:
        sys.exit(f"FAILED: {what}")


def refuses(what, number, call, *args, **kwargs):
    """Ends the program unless the call fails with this errno."""
    try:
        result = call(*args, **kwargs)
    except OSError as error:
        name = errno.errorcode.get(error.errno, error.errno)
        if error.errno != number:
            sys.exit(f"FAILED: {what}: {name}, expected {errno.errorcode[number]}")
        return
    sys.exit(f"FAILED: {what}: succeeded with {shorten(result)}, expected {errno.errorcode[number]}")


def drop_caches():
    """After this, the client has to ask the server again."""
    import os

    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as control:
        control.write("3\n")


def shorten(value):
    if isinstance(value, bytes) and len(value) > 80:
        return f"{len(value)} bytes {value[:8]!r}…{value[-8:]!r} (crc {zlib.crc32(value):08x})"
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:140]} … {text[-140:]} ({len(text)} characters)"


def versus(actual, wanted):
    """What two different values are, and where they begin to differ if they are bytes."""
    text = f"{shorten(actual)}, expected {shorten(wanted)}"
    if isinstance(actual, bytes) and isinstance(wanted, bytes):
        length = min(len(actual), len(wanted))
        first = next((index for index in range(length) if actual[index] != wanted[index]), length)
        text += f"; the first difference is at {first}"
    return text
