"""
Attacks below TCP's surface: a host of its own on one end of a virtual cable, with an address that no kernel knows, which makes every frame by hand.

  segments.py DEVICE ADDRESS TARGET PORT PATIENCE ATTACK...

PATIENCE is what limits of time are multiplied with. Prints one JSON object: {"surprises": [...], "notes": [...]}.
"""

import json
import os
import random
import select
import socket
import struct
import sys
import time

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
patience = 1.0
BROADCAST = b"\xff" * 6
MY_MAC = bytes([2, 0x66, 0x66, 0x66, 0x66, 0x66])
NULL_CALL = struct.pack(">IIIIIIIIIII", 0x80000028, 7, 0, 2, 100003, 4, 0, 0, 0, 0, 0)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Host:
    """Frames out, segments in; answers ARP for its address."""

    def __init__(self, device, address, target, port):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.address = socket.inet_aton(address)
        self.target = socket.inet_aton(target)
        self.port = port
        self.mac = None
        self.identification = 1
        self.next_port = 20000

    def frame(self, payload, protocol=0x0800, to=None):
        try:
            self.socket.send((to or self.mac or BROADCAST) + MY_MAC + struct.pack(">H", protocol) + payload)
        except OSError as error:
            # No room for the moment, or more than the cable carries: the frame is lost, as frames are.
            if error.errno not in (105, 90, 22):
                raise

    def arp(self, operation, to_mac, to_address):
        self.frame(
            struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + MY_MAC + self.address + to_mac + to_address,
            0x0806,
            to_mac if operation == 2 else BROADCAST,
        )

    def find_target(self):
        for _ in range(20):
            self.arp(1, b"\0" * 6, self.target)
            for frame in self.receive(0.2):
                if self.mac:
                    return
        raise SystemExit("nobody answers ARP")

    def receive(self, seconds):
        """IPv4 packets for this host, until so long has passed; ARP is dealt with."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return
            frame = self.socket.recv(65536)
            protocol = struct.unpack(">H", frame[12:14])[0]
            if protocol == 0x0806 and frame[38:42] == self.address:
                operation = struct.unpack(">H", frame[20:22])[0]
                if frame[28:32] == self.target:
                    self.mac = frame[22:28]
                if operation == 1:
                    self.arp(2, frame[22:28], frame[28:32])
                yield None
            elif protocol == 0x0800 and frame[0:6] == MY_MAC and frame[30:34] == self.address:
                yield frame[14:]

    def packet(self, payload, protocol=6, source=None, offset=0, more=False, identification=None, **wrong):
        """An IPv4 packet; `wrong` replaces fields: version, header_length, total_length, ttl, checksum."""
        if identification is None:
            self.identification = (self.identification + 1) & 0xFFFF
            identification = self.identification
        head = struct.pack(
            ">BBHHHBBH4s4s",
            (wrong.get("version", 4) << 4) | wrong.get("header_length", 5),
            0,
            wrong.get("total_length", 20 + len(payload)),
            identification,
            (0x2000 if more else 0) | offset // 8,
            wrong.get("ttl", 64),
            protocol,
            0,
            source or self.address,
            self.target,
        )
        total = wrong.get("checksum", checksum(head))
        return head[:10] + struct.pack(">H", total) + head[12:] + payload

    def segment(self, sport, seq, ack, flags, data=b"", window=65535, options=b"", source=None, **wrong):
        """A TCP segment; `wrong` replaces data_offset, checksum, urgent, port."""
        while len(options) % 4:
            options += b"\0"
        data_offset = wrong.get("data_offset", 5 + len(options) // 4)
        head = struct.pack(
            ">HHIIBBHHH",
            sport,
            wrong.get("port", self.port),
            seq & 0xFFFFFFFF,
            ack & 0xFFFFFFFF,
            (data_offset & 15) << 4,
            flags,
            window,
            0,
            wrong.get("urgent", 0),
        )
        whole = head + options + data
        pseudo = (source or self.address) + self.target + struct.pack(">BBH", 0, 6, len(whole))
        total = wrong.get("checksum", checksum(pseudo + whole))
        return whole[:16] + struct.pack(">H", total) + whole[18:]

    def send(self, *args, **kwargs):
        source = kwargs.get("source")
        self.frame(self.packet(self.segment(*args, **kwargs), source=source))


class Connection:
    """The attacker's half of one connection."""

    def __init__(self, host, mss=1460, window=65535, scale=7):
        self.host = host
        host.next_port += 1
        self.sport = host.next_port
        self.seq = random.randrange(1 << 32)
        self.ack = 0
        self.window = window
        options = struct.pack(">BBH", 2, 4, mss) + b"\x01" + struct.pack(">BBB", 3, 3, scale)
        self.established = False
        host.send(self.sport, self.seq, 0, SYN, window=window, options=options)
        for sport, seq, ack, flags, _ in self.segments(2 * patience):
            if flags & (SYN | ACK) == SYN | ACK and ack == (self.seq + 1) & 0xFFFFFFFF:
                self.seq = ack
                self.ack = (seq + 1) & 0xFFFFFFFF
                self.established = True
                self.send(ACK)
                return

    def send(self, flags, data=b"", at=0, ack=0, **kwargs):
        """Relative to where both sides are."""
        kwargs.setdefault("window", self.window)
        self.host.send(self.sport, self.seq + at, self.ack + ack, flags, data, **kwargs)

    def segments(self, seconds):
        """What comes for this connection: (port, seq, ack, flags, data)."""
        for packet in self.host.receive(seconds):
            if packet is None or packet[9] != 6:
                continue
            tcp = packet[20 : struct.unpack(">H", packet[2:4])[0]]
            _, dport, seq, ack, offset, flags = struct.unpack(">HHIIBB", tcp[:14])
            if dport == self.sport:
                yield dport, seq, ack, flags, tcp[(offset >> 4) * 4 :]

    def answered(self, seconds=1.5):
        """Whether the reply to a NULL call comes: its xid is 7."""
        data = b""
        for _, seq, _, flags, more in self.segments(seconds * patience):
            if flags & RST:
                return False
            if more and seq == self.ack:
                data += more
                self.ack = (self.ack + len(more)) & 0xFFFFFFFF
                self.send(ACK)
            if len(data) >= 8:
                return struct.unpack(">I", data[4:8])[0] == 7
        return False

    def was_reset(self, seconds=0.5):
        return any(flags & RST for _, _, _, flags, _ in self.segments(seconds * patience))

    def reset(self):
        self.host.send(self.sport, self.seq, self.ack, RST | ACK)


class Attacks:
    def __init__(self, host):
        self.host = host
        self.surprises = []
        self.notes = []

    def expect(self, right, surprise):
        if not right and len(self.surprises) < 20:
            self.surprises.append(surprise)

    def still_served(self, during):
        # Frames get lost where there are too many, so a few attempts, as any TCP makes.
        for _ in range(5):
            connection = Connection(self.host)
            if connection.established:
                break
        self.expect(connection.established, "no handshake after %s" % during)
        connection.send(PSH | ACK, NULL_CALL)
        connection.seq = (connection.seq + len(NULL_CALL)) & 0xFFFFFFFF
        self.expect(connection.answered(), "no answer after %s" % during)
        connection.reset()

    def broken_packets(self):
        """IPv4 headers that lie."""
        host = self.host
        good = host.segment(19000, 1, 0, SYN)
        for wrong in [
            {"version": 0},
            {"version": 6},
            {"version": 15},
            {"header_length": 0},
            {"header_length": 4},
            {"header_length": 15},
            {"total_length": 0},
            {"total_length": 19},
            {"total_length": 21},
            {"total_length": 65535},
            {"checksum": 1},
            {"ttl": 0},
        ]:
            host.frame(host.packet(good, **wrong))
        for length in range(0, 60):
            host.frame(host.packet(good)[:length])
        for protocol in range(256):
            if protocol not in (1, 6):
                host.frame(host.packet(os.urandom(40), protocol=protocol))
        for source in ("127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1"):
            host.frame(host.packet(good, source=socket.inet_aton(source)))
        # The target's own address: a "land" attack.
        host.send(host.port, 1, 0, SYN, source=host.target)
        for kind in range(256):
            icmp = struct.pack(">BBHI", kind, random.randrange(16), 0, random.randrange(1 << 32)) + os.urandom(40)
            host.frame(host.packet(icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:], protocol=1))
        for protocol in (0x0806, 0x86DD, 0x8100, 0x88CC, 0x0000, 0x05DC):
            for _ in range(50):
                host.frame(os.urandom(random.randrange(46, 400)), protocol)
        self.still_served("broken packets")

    def fragments(self):
        """Overlapping, endless and unfinished fragments."""
        host = self.host
        datagram = host.segment(19001, 1, 0, SYN, os.urandom(400))
        for number in range(1000):
            host.identification = (host.identification + 1) & 0xFFFF
            name = host.identification
            # A first fragment of 8 bytes, pieces that overlap with other bytes, one behind the end of all packets.
            host.frame(host.packet(datagram[:8], more=True, identification=name))
            host.frame(host.packet(os.urandom(64), offset=8, more=True, identification=name))
            host.frame(host.packet(os.urandom(64), offset=40, more=True, identification=name))
            if number % 4 == 0:
                host.frame(host.packet(os.urandom(16), offset=65528, identification=name))
            if number % 4 == 1:
                host.frame(host.packet(os.urandom(5), offset=24, more=True, identification=name))
        # A thousand large datagrams, each of which lacks its beginning.
        for number in range(1000):
            host.identification = (host.identification + 1) & 0xFFFF
            for offset in range(1400, 7000, 1400):
                host.frame(host.packet(os.urandom(1400), offset=offset, more=True, identification=host.identification))
        self.still_served("fragments")

    def broken_segments(self):
        """TCP headers that lie, and flags that make no sense."""
        host = self.host
        for data_offset in range(16):
            host.send(19002, 1, 0, SYN, data_offset=data_offset)
        host.send(19003, 1, 0, SYN, checksum=0x1234)
        for length in range(0, 40):
            host.frame(host.packet(host.segment(19004, 1, 0, SYN, b"x" * 20)[:length]))
        for options in [
            b"\x02\x00",
            b"\x02\x01",
            b"\x02\x04\x05",
            b"\x02\x28",
            b"\x08\x0a\x00",
            b"\x03\x03\xff",
            b"\x05\x12" + b"\xff" * 16,
            b"\xfe\xff",
            b"\x01" * 40,
            b"\x13\x12" + b"\x00" * 16,
        ]:
            host.send(19005, 1, 0, SYN, options=options)
        for flags in range(256):
            host.send(19100 + flags, random.randrange(1 << 32), random.randrange(1 << 32), flags, os.urandom(20))
        for _ in range(2000):
            host.frame(host.packet(os.urandom(random.randrange(0, 200))))
        for _ in range(2000):
            noise = host.segment(
                random.randrange(65536),
                random.randrange(1 << 32),
                random.randrange(1 << 32),
                random.randrange(256),
                os.urandom(random.randrange(100)),
                options=os.urandom(random.randrange(0, 41)),
                port=random.choice([host.port, random.randrange(65536)]),
            )
            host.frame(host.packet(noise))
        for _ in host.receive(0.2):
            pass
        self.still_served("broken segments")

    def inside_a_connection(self):
        """Segments that an established connection must not fall for."""
        connection = Connection(self.host)
        for _ in range(200):
            connection.send(ACK, b"x" * 10, at=random.randrange(1 << 31), ack=random.randrange(-(1 << 31), 1 << 31))
        # Resets and SYNs in the window but not exact (RFC 5961): challenged, not obeyed.
        for at in (1, 100, 1000, 60000):
            connection.send(RST, at=at)
            connection.send(SYN, at=at)
        connection.send(RST, at=-1)
        connection.send(RST, at=10_000_000)
        # Acknowledgments of what was never sent, and of the distant past.
        connection.send(ACK, ack=1_000_000)
        connection.send(ACK, ack=-1_000_000_000)
        connection.send(ACK | URG, b"", urgent=65535)
        for _ in connection.segments(0.2):
            pass
        # Overlapping pieces, the first of which count: what the peer has accepted does not change (RFC 9293 §3.10.7.4).
        call = NULL_CALL
        connection.send(PSH | ACK, call[8:24], at=8)
        connection.send(PSH | ACK, b"?" * 8, at=16)
        connection.send(PSH | ACK, call[:16])
        connection.send(PSH | ACK, b"?" * 8, at=4)
        connection.send(PSH | ACK, call[24:], at=24)
        connection.seq = (connection.seq + len(call)) & 0xFFFFFFFF
        self.expect(connection.answered(), "a call in overlapping segments was not answered")
        connection.send(RST)
        for _ in connection.segments(0.05):
            pass
        connection.send(PSH | ACK, call)
        self.expect(connection.was_reset(), "after an exact RST the connection lives on")

    def tiny_segments(self):
        """A peer with an MSS of 1, which wants its answers in crumbs."""
        connections = [Connection(self.host, mss=mss) for mss in (0, 1, 8, 47)]
        for connection in connections:
            connection.send(PSH | ACK, NULL_CALL)
            connection.seq = (connection.seq + len(NULL_CALL)) & 0xFFFFFFFF
            self.expect(connection.answered(), "no answer to a peer with a tiny MSS")
        sizes = set()
        crumbs = Connection(self.host, mss=1)
        # 30 calls in one segment, with replies of 28 bytes each.
        crumbs.send(PSH | ACK, NULL_CALL * 30)
        crumbs.seq = (crumbs.seq + 30 * len(NULL_CALL)) & 0xFFFFFFFF
        end = (crumbs.ack + 30 * 28) & 0xFFFFFFFF
        for _, seq, _, _, data in crumbs.segments(10 * patience):
            if data:
                sizes.add(len(data))
                crumbs.ack = (seq + len(data)) & 0xFFFFFFFF
                crumbs.send(ACK)
            if crumbs.ack == end:
                break
        self.expect(crumbs.ack == end, "not all of the replies came in crumbs")
        self.expect(sizes and max(sizes) >= 88, "an MSS of 1 was obeyed: segments of %s bytes" % sorted(sizes))
        for connection in connections + [crumbs]:
            connection.reset()

    def scattered_bytes(self):
        """Single bytes all over the window: each would keep a piece of memory while it waits for those before it."""
        connections = []
        for _ in range(300):
            connection = Connection(self.host)
            self.expect(connection.established, "no handshake among scattered bytes")
            connections.append(connection)
            for at in range(4, 60_000, 4096):
                connection.send(ACK, b"?", at=at)
        # Once data flows, the window is as wide as it gets.
        for connection in connections[:100]:
            connection.send(ACK, struct.pack(">I", 0x80100000))
            connection.seq = (connection.seq + 4) & 0xFFFFFFFF
            for at in range(0, 2 << 20, 16384):
                connection.send(ACK, b"?", at=at + 1)
        self.still_served("scattered bytes")
        for connection in connections:
            connection.reset()

    def closed_windows(self):
        """Calls from peers that never open their window."""
        connections = [Connection(self.host, window=0) for _ in range(100)]
        for connection in connections:
            connection.send(PSH | ACK, NULL_CALL * 30)
        self.still_served("closed windows")
        probed = any(data for _, _, _, _, data in connections[0].segments(10 * patience))
        self.expect(probed, "nobody asks whether the window has opened")
        for connection in connections:
            connection.seq += 30 * len(NULL_CALL)
            connection.reset()

    def syn_flood(self):
        """SYNs of hosts that do not exist, and of this one, faster than handshakes time out."""
        host = self.host
        began = time.monotonic()
        options = struct.pack(">BBH", 2, 4, 1460)
        for number in range(30_000):
            source = host.target[:3] + bytes([128 + number % 100]) if number % 2 else host.address
            host.send(30_000 + number % 30_000, number, 0, SYN, options=options, source=source)
            if number == 20_000:
                for _ in host.receive(0):
                    pass
                self.still_served("20,000 SYNs, with more to come")
        self.notes.append("30,000 SYNs in %d ms" % (1000 * (time.monotonic() - began)))
        for _ in host.receive(0.3):
            pass
        self.still_served("a SYN flood")


def main():
    global patience
    device, address, target, port, patience, *names = sys.argv[1:]
    patience = float(patience)
    random.seed(1)
    host = Host(device, address, target, int(port))
    host.find_target()
    attacks = Attacks(host)
    for name in names:
        began = time.monotonic()
        getattr(attacks, name)()
        attacks.notes.append("%s: %d ms" % (name, 1000 * (time.monotonic() - began)))
    print(json.dumps({"surprises": attacks.surprises, "notes": attacks.notes}))


main()
