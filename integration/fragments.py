"""Sends one UDP datagram in fragments to a VIP's port 53, in the given order, and waits for the
answer: fragments.py SOURCE VIP ORDER [TIMES], where ORDER is for instance 0,1,2 or 2,1,0.
Prints the names of those who answered."""
import socket
import struct
import sys
import time

source, vip, order = sys.argv[1], sys.argv[2], [int(n) for n in sys.argv[3].split(",")]
times = int(sys.argv[4]) if len(sys.argv) > 4 else 1
is_6 = ":" in vip
family = socket.AF_INET6 if is_6 else socket.AF_INET
PIECE = 1000


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(port, payload):
    """UDP header and payload, with their checksum."""
    length = 8 + len(payload)
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, vip)
    pseudo = addresses + (struct.pack("!II", length, 17) if is_6 else struct.pack("!BBH", 0, 17, length))
    header = struct.pack("!HHHH", port, 53, length, 0)
    return header[:6] + struct.pack("!H", checksum(pseudo + header + payload) or 0xFFFF) + payload


def fragment(data, i, ident):
    """The i-th fragment: an IPv4 packet, or what follows an IPv6 header."""
    part = data[i * PIECE:(i + 1) * PIECE]
    more = (i + 1) * PIECE < len(data)
    if is_6:
        return struct.pack("!BBHI", 17, 0, i * PIECE | more, ident) + part
    flags = i * PIECE // 8 | (0x2000 if more else 0)
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), ident & 0xFFFF, flags, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(vip)) + part


names = set()
# Not one that was used lately: its datagram's note may still be there.
ident = int(time.time() * 100) & 0xFFFF
for _ in range(times):
    with socket.socket(family, socket.SOCK_DGRAM) as receiver, \
            socket.socket(family, socket.SOCK_RAW, 44 if is_6 else socket.IPPROTO_RAW) as raw:
        receiver.bind((source, 0))
        receiver.settimeout(3)
        if is_6:
            raw.bind((source, 0))
        ident = ident % 0xFFFF + 1
        # To a multiple of 8 with its UDP header, and one fragment for each that was ordered.
        data = datagram(receiver.getsockname()[1], b"?" * (PIECE * len(order) - 8))
        for i in order:
            raw.sendto(fragment(data, i, ident), (vip, 0))
            time.sleep(0.002)
        names.add(receiver.recv(512).strip().decode())
print(*sorted(names))
