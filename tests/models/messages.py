"""Each message of proto/ with some value in every field, encoded by hand after protobuf's encoding guide: an
independent model. Prints the golden vectors that tests/unit/messages_test.c checks:

    python3 tests/models/messages.py > tests/golden/messages.txt
"""
import struct


def varint(n):
    out = b''
    while True:
        out += bytes([n & 127 | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out


def v(field, n):
    return varint(field << 3) + varint(n)


def f64(field, n):
    return varint(field << 3 | 1) + struct.pack('<Q', n)


def f32(field, n):
    return varint(field << 3 | 5) + struct.pack('<I', n)


def b(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


ID, BOOT, TOKEN = 0x1122334455667788, 0x99aabbccddeeff00, 0x0102030405060708
about = f32(2, 1000) + v(3, 7) + f64(4, 0xabc) + v(5, 1) + f64(6, 0xdef)
dead = f64(1, ID) + f64(2, BOOT) + v(3, 300) + v(4, 2) + f64(5, TOKEN)
alive = (f64(1, ID) + f64(2, BOOT) + v(3, 1) + b(6, 'lb1') + b(7, bytes([192, 0, 2, 1])) + v(8, 6090) +
         b(9, '0.1.0') + v(10, 1) + v(11, 2) + v(12, 1) + v(13, 100) + f64(14, 5) + f64(15, 6))
gossip = [
    ('rumours', b(2, dead) + b(2, alive)),
    ('hello', b(3, b(1, alive) + f64(2, TOKEN) + f64(3, TOKEN + 1) + b(4, dead) + v(5, 1))),
    ('ping', b(4, v(1, 5))),
    ('ack', b(5, v(1, 5) + f64(2, ID))),
    ('relay', b(6, v(1, 5) + f64(2, ID))),
    ('nack', b(7, v(1, 5) + f64(2, ID))),
    ('state_pull', b(8, b'')),
    ('records', b(9, v(1, 5) + b(2, b'packed'))),
    ('records_ack', b(10, b(1, varint(5) + varint(300)))),
    ('lookup', b(11, v(1, 5) + b(2, b'digests'))),
    ('answer', b(12, v(1, 5) + b(2, b'packed'))),
    ('compare', b(13, v(1, 5) + v(2, 1) + b(3, b'shards'))),
    ('differ', b(14, v(1, 5) + v(2, 1) + b(3, b'shards') + v(4, 1))),
    ('fetch', b(15, b(1, b'nonce') + b(2, b'shards'))),
]
hello = v(1, 1) + b(2, 'lbnode') + f64(3, 5) + f64(4, 6) + v(5, 1)
member = (b(1, 'lb1') + f64(2, ID) + b(3, bytes([192, 0, 2, 1])) + v(4, 6090) + b(5, 'alive') + v(6, 1) +
          b(7, '0.1.0') + v(8, 3) + f64(9, BOOT) + v(10, 7) + f64(11, 8) + f64(12, 5) + f64(13, 6) +
          v(14, 100) + v(15, 9) + v(16, 2**64 - 1) + v(17, 4) + b(18, '192.0.2.9:6090'))
status = (b(1, 'lb1') + b(2, 'holdfast') + b(3, '0.1.0') + v(4, 1) + v(5, 1) + b(6, 'ready') + v(7, 7) +
          f64(8, 8) + v(9, 1) + v(10, 1000000) + b(11, member) + b(12, b(1, 'probes') + v(2, 5)) +
          b(13, 'a problem') + v(14, 1) + b(15, bytes([7])))
to_sync = [
    ('to_hello', b(1, hello)),
    ('to_export', b(2, b(1, b'packed'))),
    ('to_ask', b(3, v(1, 5) + b(2, b'digests'))),
    ('to_status', b(4, b'')),
    ('to_state', b(5, hello)),
]
from_sync = [
    ('from_hello', b(1, hello)),
    ('from_credit', b(2, v(1, 5))),
    ('from_export_again', b(3, b(1, b'shards'))),
    ('from_told', b(4, v(1, 5) + b(2, b'packed'))),
    ('from_owners', b(5, v(1, 7) + f64(2, 8) + b(3, member) + v(4, 2) + b(5, b'now') + b(6, b'previous'))),
    ('from_status', b(6, status)),
]
for name, body in gossip:
    print(name, (b(1, about) + body).hex())
for name, body in to_sync + from_sync:
    print(name, body.hex())
