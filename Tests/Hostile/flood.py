#!/usr/bin/env python3
"""flood.py HOST PORT [CONNECTIONS] [BYTES] [SECONDS]: a stranger who sends far ahead.

Opens so many connections from one address of its own (127.0.0.66), sends so many bytes of tiny pipelined requests on each
at once, reads what comes, and ends when everything is answered, or after so many seconds. Prints what was sent and answered."""
import select, socket, sys, time

host, port = sys.argv[1], int(sys.argv[2])
connections = int(sys.argv[3]) if len(sys.argv) > 3 else 900
size = int(sys.argv[4]) if len(sys.argv) > 4 else 65000
seconds = float(sys.argv[5]) if len(sys.argv) > 5 else 60

request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
volley = memoryview(request * (size // len(request)))
wanted = connections * (size // len(request))
peers, poll = {}, select.epoll()
for _ in range(connections):
    peer = socket.socket()
    if host.startswith("127."):
        peer.bind(("127.0.0.66", 0))
    peer.connect((host, port))
    peer.setblocking(False)
    peers[peer.fileno()] = [peer, 0, b""]
    poll.register(peer, select.EPOLLIN | select.EPOLLOUT)

began, answers, sent = time.monotonic(), 0, 0
while peers and answers < wanted and time.monotonic() < began + seconds:
    for descriptor, events in poll.poll(0.2):
        peer, out, rest = peers[descriptor]
        try:
            if events & select.EPOLLOUT:
                out += peer.send(volley[out:])
                peers[descriptor][1] = out
                if out == len(volley):
                    poll.modify(peer, select.EPOLLIN)
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                data = peer.recv(1 << 18)
                answers += (rest + data).count(b"HTTP/1.1 ")
                peers[descriptor][2] = data[-8:]
                if not data:
                    raise OSError("closed")
        except BlockingIOError:
            pass
        except OSError:
            poll.unregister(peer)
            peer.close()
            del peers[descriptor]
    sent = sum(out for _, out, _ in peers.values())
print(f"{connections} connections sent {sent / 1e6:.0f} MB ahead; {answers} of {wanted} answers"
      f" in {time.monotonic() - began:.1f} s")
