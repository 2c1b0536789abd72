#!/usr/bin/env python3
"""An independent model of the second chance's envelope, from docs/formats.md, RFC 7693 and the SipHash paper.

Prints the golden vectors that tests/unit/envelope_test.c checks:

    tests/models/envelope.py > tests/golden/envelopes.txt
"""
import hashlib
import random
import struct

MASK = (1 << 64) - 1
HOP_KEY = 4  # libsodium's crypto_kdf: BLAKE2b, keyed, with the number as salt and the context as person


def rotl(x, n):
    return (x << n | x >> (64 - n)) & MASK


def siphash_2_4(key, message):
    k0, k1 = struct.unpack("<QQ", key)
    a, b, c, d = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
                  k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)

    def rounds(a, b, c, d, n):
        for _ in range(n):
            a = (a + b) & MASK
            b = rotl(b, 13) ^ a
            a = rotl(a, 32)
            c = (c + d) & MASK
            d = rotl(d, 16) ^ c
            a = (a + d) & MASK
            d = rotl(d, 21) ^ a
            c = (c + b) & MASK
            b = rotl(b, 17) ^ c
            c = rotl(c, 32)
        return a, b, c, d

    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        a, b, c, d = rounds(a, b, c, d ^ word, 2)
        a ^= word
    a, b, c, d = rounds(a, b, c ^ 0xFF, d, 4)
    return a ^ b ^ c ^ d


def hop_key(cluster_key):
    return hashlib.blake2b(key=cluster_key, salt=struct.pack("<QQ", HOP_KEY, 0),
                           person=b"holdfast" + bytes(8), digest_size=16).digest()


def envelope(cluster_key, hops, flags, origin, epoch, digest):
    start = struct.pack(">BBBBII", 1, 1, hops, flags, origin, epoch)
    tag = siphash_2_4(hop_key(cluster_key), start + struct.pack("<Q", digest))
    return start + struct.pack("<Q", tag)


def main():
    chance = random.Random(20261126)
    # Appendix A of the paper.
    assert siphash_2_4(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5
    print("# cluster_key hops flags origin epoch digest envelope")
    for i in range(32):
        key = chance.randbytes(32)
        hops, flags = i % 2, i // 2 % 4
        origin, epoch, digest = (chance.getrandbits(n) for n in (32, 32, 64))
        print(key.hex(), hops, flags, f"{origin:08x}", f"{epoch:08x}", f"{digest:016x}",
              envelope(key, hops, flags, origin, epoch, digest).hex())


if __name__ == "__main__":
    main()
