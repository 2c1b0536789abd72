#!/usr/bin/env python3
"""How long a command takes to show in routers' kernels.

usage: fib_time.py gone|there ADDRESS DEVICE SECONDS NAMESPACE[,NAMESPACE...] -- COMMAND...

Runs the command, and asks the kernel of each network namespace, some thousand times a second, whether its route to
ADDRESS has DEVICE among its next hops. Prints one JSON object: for each namespace the milliseconds from the command's
start until it was so; null: not within SECONDS. ADDRESS may be several, with commas: then all of them. Exit status: 0 it
came to be so everywhere, 1 not, 2 wrong arguments.
"""
import ctypes
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
RTM_GETROUTE, NLM_F_REQUEST, NLMSG_ERROR = 26, 1, 2
RTM_F_FIB_MATCH = 0x2000
RTA_DST, RTA_OIF, RTA_MULTIPATH = 1, 4, 9
libc = ctypes.CDLL(None, use_errno=True)
HOME = open("/proc/self/ns/net")


def enter(path):
    with open(path) as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), path)


class Router:
    def __init__(self, name, device):
        enter("/run/netns/" + name)
        self.name = name
        self.seen = 0
        self.device = socket.if_nametoindex(device)
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        libc.setns(HOME.fileno(), CLONE_NEWNET)

    def has(self, address):
        """Whether the longest match for the address goes by the device."""
        v4 = address.version == 4
        bits = address.max_prefixlen
        body = struct.pack("=BBBBBBBBI", socket.AF_INET if v4 else socket.AF_INET6, bits, 0, 0, 0, 0, 0, 0,
                           RTM_F_FIB_MATCH)
        body += struct.pack("=HH", 4 + bits // 8, RTA_DST) + address.packed
        self.socket.send(struct.pack("=IHHII", 16 + len(body), RTM_GETROUTE, NLM_F_REQUEST, 1, 0) + body)
        reply = self.socket.recv(65536)
        length, kind = struct.unpack_from("=IH", reply)
        if kind == NLMSG_ERROR or reply[17] != bits:
            return False
        return self.device in devices(reply[28:length])


def attributes(data):
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


def devices(data):
    for kind, value in attributes(data):
        if kind == RTA_OIF:
            yield struct.unpack("=I", value)[0]
        while kind == RTA_MULTIPATH and len(value) >= 8:
            length, _, _, device = struct.unpack_from("=HBBi", value)
            yield device
            value = value[(length + 3) & ~3:]


def main():
    if len(sys.argv) < 8 or sys.argv[1] not in ("gone", "there") or sys.argv[6] != "--":
        sys.exit((print(__doc__.strip(), file=sys.stderr), 2)[1])
    there = sys.argv[1] == "there"
    addresses = [ipaddress.ip_address(a) for a in sys.argv[2].split(",")]
    waiting = [Router(name, sys.argv[3]) for name in sys.argv[5].split(",")]
    times = {router.name: None for router in waiting}
    start = time.monotonic()
    command = subprocess.Popen(sys.argv[7:], stdout=subprocess.DEVNULL)
    while waiting and time.monotonic() - start < float(sys.argv[4]):
        for router in list(waiting):
            # Of many, only those that were not so yet: asking all each time would take as long as what is measured.
            while router.seen < len(addresses) and router.has(addresses[router.seen]) == there:
                router.seen += 1
            if router.seen == len(addresses):
                times[router.name] = round((time.monotonic() - start) * 1000, 1)
                waiting.remove(router)
        time.sleep(0.0002)
    command.wait()
    print(json.dumps(times))
    sys.exit(1 if waiting else 0)


if __name__ == "__main__":
    main()
