#!/usr/bin/env python3
"""healthy.py HOST PORT TARGET SECONDS [RATE] [CONNECTIONS]: a caller like any other, while others misbehave.

Posts at an even rate over a few keep-alive connections, whether or not answers come (open loop): a request is timed from
when it was due, so a server that stalls is charged for all that waited. Prints p50, p99 and the longest in ms, and how many
got no 200."""
import json, socket, sys, threading, time

host, port, target, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
rate = float(sys.argv[5]) if len(sys.argv) > 5 else 200
lanes = int(sys.argv[6]) if len(sys.argv) > 6 else 8
took, failed = [], []


def post(connection, body):
    connection.sendall(b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                       % (target.encode(), host.encode(), len(body), body))
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            raise OSError("closed")
        got += more
    head, _, rest = got.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65536)
    return int(head.split(b" ")[1])


def lane(number, began):
    connection = None
    for turn in range(int(seconds * rate / lanes)):
        due = began + (turn * lanes + number) / rate
        time.sleep(max(0, due - time.perf_counter()))
        body = json.dumps({"appsflyer_id": f"{number}-{turn}", "customer_user_id": f"healthy-{number}-{turn % 50}"}).encode()
        try:
            if connection is None:
                connection = socket.create_connection((host, port), timeout=10)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            status = post(connection, body)
            if status != 200:
                failed.append(status)
        except (OSError, IndexError, ValueError) as error:
            failed.append(str(error))
            connection = None
        took.append((time.perf_counter() - due) * 1000)


began = time.perf_counter() + 0.05
threads = [threading.Thread(target=lane, args=(number, began)) for number in range(lanes)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
took.sort()
at = lambda share: took[min(len(took) - 1, int(len(took) * share))]
print(f"{len(took):6d} requests  p50 {at(0.5):8.2f} ms  p99 {at(0.99):8.2f} ms  longest {took[-1]:8.2f} ms  failed {len(failed)}"
      + (f" ({failed[0]})" if failed else ""))
