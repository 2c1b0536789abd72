"""Asks a VIP's UDP port 53 from many ports, as a DNS client and plainly: udp_client.py VIP TIMES"""
import socket
import sys

QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x00\x00\x10\x00\x01"

vip, times = sys.argv[1], int(sys.argv[2])
names = set()
for _ in range(times):
    with socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        s.connect((vip, 53))
        s.send(b"who are you?")
        name = s.recv(512).strip()
        s.send(QUERY)
        answer = s.recv(512)
        # One socket is one flow: the same backend must answer, with its name in a TXT record.
        assert answer[:2] == QUERY[:2] and answer.endswith(bytes([len(name)]) + name), answer
        names.add(name.decode())
print(*sorted(names))
assert len(names) > 1, "all flows went to one backend"
