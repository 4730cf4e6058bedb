"""The kernel's side of a signed connection: Node cannot set TCP_MD5SIG.

  md5-peer.py echo serve|connect ADDRESS PORT PEER KEY   one connection; sends back what it gets
  md5-peer.py inject DEVICE HEX                          gives an IP packet to a TUN's other end

An empty KEY is none. Prints "ready" once it listens, and how it ended: "closed", "timeout", "refused", "reset".
"""
import socket
import struct
import sys

TCP_MD5SIG = 14
PATIENCE = 30


def set_key(sock, peer, key):
    address = socket.inet_pton(sock.family, peer)
    if sock.family == socket.AF_INET:
        name = struct.pack("=HH4s", sock.family, 0, address)
    else:
        name = struct.pack("=HHI16sI", sock.family, 0, 0, address, 0)
    option = name.ljust(128, b"\0") + struct.pack("=BBHi80s", 0, 0, len(key), 0, key)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, option)


def echo(sock):
    while data := sock.recv(1 << 16):
        sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)
    sock.close()


def converse(way, address, port, peer, key):
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if key:
        set_key(sock, peer, key.encode())
    try:
        if way == "serve":
            sock.settimeout(PATIENCE)
            sock.bind((address, int(port)))
            sock.listen()
            print("ready", flush=True)
            sock, _ = sock.accept()
        else:
            sock.settimeout(1.5)
            sock.connect((peer, int(port)))
        sock.settimeout(PATIENCE)
        echo(sock)
        return "closed"
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"


def inject(device, packet):
    packet = bytes.fromhex(packet)
    protocol = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sock:
        sock.sendto(packet, (device, protocol))
    return "closed"


print({"echo": converse, "inject": inject}[sys.argv[1]](*sys.argv[2:]), flush=True)
