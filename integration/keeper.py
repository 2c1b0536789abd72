#!/usr/bin/env python3
"""Stands in for systemd where descriptors are stored (sd_notify(3), FDSTORE=1; sd_listen_fds(3)).

usage: keeper.py PIDFILE COMMAND...

Runs the command, keeps what descriptors it parks, and starts it again with them whenever it ends; writes the process id
of the present one into PIDFILE. SIGTERM ends both.
"""
import fcntl
import os
import signal
import socket
import sys
import tempfile


def start(command, notify, store):
    pid = os.fork()
    if pid:
        return pid
    os.environ["NOTIFY_SOCKET"] = notify
    for place, (fd, _) in enumerate(store):
        os.dup2(fd, 3 + place)
        os.set_inheritable(3 + place, True)
    if store:
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = str(len(store))
        os.environ["LISTEN_FDNAMES"] = ":".join(name for _, name in store)
    os.execvp(command[0], command)


def take(listener, store):
    data, fds, _, _ = socket.recv_fds(listener, 4096, 8)
    words = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
    for fd in fds:
        # High, out of the way of those that are handed out.
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)
        os.close(fd)
        if words.get("FDSTORE") != "1" or len(store) >= 1:  # FileDescriptorStoreMax=1
            os.close(high)
        else:
            store.append((high, words.get("FDNAME", "stored")))


def main():
    if len(sys.argv) < 3:
        sys.exit((print(__doc__.strip(), file=sys.stderr), 2)[1])
    directory = tempfile.mkdtemp()
    path = os.path.join(directory, "notify")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    listener.bind(path)
    os.chmod(directory, 0o755)
    os.chmod(path, 0o666)
    listener.settimeout(0.02)
    store, child = [], 0

    def end(*_):
        os.kill(child, signal.SIGTERM)
        os.unlink(path)
        os.rmdir(directory)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        if not child or os.waitpid(child, os.WNOHANG)[0]:
            child = start(sys.argv[2:], path, store)
            with open(sys.argv[1], "w") as file:
                print(child, file=file)
        try:
            take(listener, store)
        except socket.timeout:
            pass


if __name__ == "__main__":
    main()
