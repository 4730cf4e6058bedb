"""The kernel's side of a Fast Open: python3 fast-open.py server|client ADDRESS PORT. A server echoes until it is killed; a client asks twice."""
import socket
import sys

TCP_FASTOPEN = 23
role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET


def read_all(end):
    got = b""
    while True:
        more = end.recv(65536)
        if not more:
            return got
        got += more


if role == "server":
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    listener.bind((address, port))
    listener.listen(16)
    print("ready", flush=True)
    while True:
        end, _ = listener.accept()
        end.sendall(read_all(end))
        end.close()

for i in range(2):
    question = bytes([65 + i]) * 1000
    end = socket.socket(family, socket.SOCK_STREAM)
    end.sendto(question, socket.MSG_FASTOPEN, (address, port))
    end.shutdown(socket.SHUT_WR)
    print(read_all(end) == question, flush=True)
    end.close()
