"""XChaCha20-Poly1305 after RFC 8439 and draft-irtf-cfrg-xchacha, and crypto_kdf, in plain Python: an
independent model of what syncd/core/seal.h and lib/keys.h say. Prints the vectors that
tests/golden/*.inc hold."""
import hashlib, struct


def rotl(x, n):
    return ((x << n) | (x >> (32 - n))) & 0xffffffff


def quarter(s, a, b, c, d):
    s[a] = (s[a] + s[b]) & 0xffffffff; s[d] = rotl(s[d] ^ s[a], 16)
    s[c] = (s[c] + s[d]) & 0xffffffff; s[b] = rotl(s[b] ^ s[c], 12)
    s[a] = (s[a] + s[b]) & 0xffffffff; s[d] = rotl(s[d] ^ s[a], 8)
    s[c] = (s[c] + s[d]) & 0xffffffff; s[b] = rotl(s[b] ^ s[c], 7)


def rounds(s):
    for _ in range(10):
        quarter(s, 0, 4, 8, 12); quarter(s, 1, 5, 9, 13); quarter(s, 2, 6, 10, 14); quarter(s, 3, 7, 11, 15)
        quarter(s, 0, 5, 10, 15); quarter(s, 1, 6, 11, 12); quarter(s, 2, 7, 8, 13); quarter(s, 3, 4, 9, 14)


CONSTANTS = list(struct.unpack('<4I', b'expand 32-byte k'))


def block(key, counter, nonce):
    s = CONSTANTS + list(struct.unpack('<8I', key)) + [counter] + list(struct.unpack('<3I', nonce))
    t = s[:]
    rounds(t)
    return struct.pack('<16I', *((a + b) & 0xffffffff for a, b in zip(s, t)))


def hchacha(key, nonce):
    s = CONSTANTS + list(struct.unpack('<8I', key)) + list(struct.unpack('<4I', nonce))
    rounds(s)
    return struct.pack('<8I', *(s[:4] + s[12:]))


def poly1305(key, message):
    r = int.from_bytes(key[:16], 'little') & 0x0ffffffc0ffffffc0ffffffc0fffffff
    a = 0
    for i in range(0, len(message), 16):
        a = (a + int.from_bytes(message[i:i + 16] + b'\1', 'little')) * r % (2**130 - 5)
    return ((a + int.from_bytes(key[16:], 'little')) % 2**128).to_bytes(16, 'little')


def pad(b):
    return b + bytes(-len(b) % 16)


def xchacha20poly1305(key, nonce, beside, plain):
    key = hchacha(key, nonce[:16])
    nonce = bytes(4) + nonce[16:]
    stream = b''.join(block(key, 1 + i, nonce) for i in range(len(plain) // 64 + 1))
    sealed = bytes(a ^ b for a, b in zip(plain, stream))
    return sealed + poly1305(block(key, 0, nonce)[:32], pad(beside) + pad(sealed) +
                             struct.pack('<QQ', len(beside), len(sealed)))


if __name__ == '__main__':
    key = bytes(range(32))
    cluster = 0x0123456789abcdef
    header = struct.pack('<BBHQQQ', 1, 7, cluster >> 48, 0x1111, 0xa1, 42)
    beside = header[:4] + struct.pack('<QQQ', cluster, 0x2222, 0xb1)
    print('seal.inc       "%s"' % xchacha20poly1305(key, header[4:], beside, b'hello').hex())
    for use, size, name in (2, 32, 'gossip_key'), (3, 16, 'key_id'):
        derived = hashlib.blake2b(digest_size=size, key=key, salt=struct.pack('<Q', use) + bytes(8),
                                  person=b'holdfast' + bytes(8)).hexdigest()
        print('%s.inc "%s"' % (name, derived))
    stream = hashlib.blake2b(b'snapshot', digest_size=32, key=key).hexdigest()
    print('stream_key.inc "%s"' % stream)
