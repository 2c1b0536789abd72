#!/usr/bin/env python3
"""An independent model of a flow's digest, from the paper and from docs/formats.md alone.

Prints the golden vectors that tests/unit/digest_test.c checks:

    tests/models/digest.py > tests/golden/digests.txt
"""
import ipaddress
import random
import struct

MASK = (1 << 64) - 1


def rotl(x, n):
    return (x << n | x >> (64 - n)) & MASK


def siphash_1_3(key, message):
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
         k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def sipround():
        v[0] = (v[0] + v[1]) & MASK
        v[2] = (v[2] + v[3]) & MASK
        v[1] = rotl(v[1], 13) ^ v[0]
        v[3] = rotl(v[3], 16) ^ v[2]
        v[0] = rotl(v[0], 32)
        v[2] = (v[2] + v[1]) & MASK
        v[0] = (v[0] + v[3]) & MASK
        v[1] = rotl(v[1], 17) ^ v[2]
        v[3] = rotl(v[3], 21) ^ v[0]
        v[2] = rotl(v[2], 32)

    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        sipround()
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(3):
        sipround()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def digest(key, source, destination, source_port, destination_port, protocol):
    message = (ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
               + struct.pack(">HHB", source_port, destination_port, protocol))
    return siphash_1_3(key, message)


def main():
    chance = random.Random(20161106)
    print("# key source destination source_port destination_port protocol digest slot/65537")
    for i in range(64):
        key = bytes(range(16)) if i < 8 else chance.randbytes(16)
        if i % 2:
            base = int(ipaddress.ip_address("2001:db8::"))
            source, destination = (str(ipaddress.ip_address(base + chance.getrandbits(96)))
                                   for _ in range(2))
        else:
            source, destination = (str(ipaddress.ip_address(chance.getrandbits(32)))
                                   for _ in range(2))
        ports = [chance.getrandbits(16), chance.choice([80, 443, 53, chance.getrandbits(16)])]
        protocol = chance.choice([6, 17])
        d = digest(key, source, destination, *ports, protocol)
        print(key.hex(), source, destination, *ports, protocol, "%016x" % d,
              (d >> 32) * 65537 >> 32)


if __name__ == "__main__":
    main()
