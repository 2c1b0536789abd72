"""What an attacker on the wire can do: listens to a node's gossip, and sends it again.

    gossip_probe.py listen SECONDS PORT WORD...   reads the datagrams of all interfaces, writes those to
                                                  PORT to standard output, as hexadecimal lines, and
                                                  fails if one of the words, in hexadecimal,
                                                  can be read in them
    gossip_probe.py send ADDRESS PORT             sends the lines of standard input to ADDRESS
    gossip_probe.py noise ADDRESS PORT COUNT      sends so many that look right but for the key
"""
import os, random, socket, struct, sys, time


def listen(seconds, port, words):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    s.settimeout(0.2)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            packet = s.recv(65536)
        except TimeoutError:
            continue
        if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != 17:
            continue
        header = (packet[0] & 15) * 4
        if struct.unpack('!H', packet[header + 2:header + 4])[0] != port:
            continue
        payload = packet[header + 8:]
        for word in words:
            if bytes.fromhex(word) in payload:
                sys.exit('%s can be read on the wire' % word)
        print(socket.inet_ntoa(packet[16:20]), payload.hex())


def send(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for i, line in enumerate(sys.stdin):
        s.sendto(bytes.fromhex(line.split()[-1]), (address, port))
        if i % 50 == 0:
            time.sleep(0.01)


def noise(address, port, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    start = bytes.fromhex(sys.stdin.readline().split()[-1])[:28]
    for i in range(count):
        s.sendto(start + os.urandom(random.randrange(16, 400)), (address, port))
        if i % 50 == 0:
            time.sleep(0.01)


if sys.argv[1] == 'listen':
    listen(float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
elif sys.argv[1] == 'send':
    send(sys.argv[2], int(sys.argv[3]))
else:
    noise(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
