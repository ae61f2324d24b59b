import CCurl
import EventLoop
import Glibc

/// What libcurl asked the loop to watch: its sockets and its one timer. The callbacks only take notes here; none calls
/// libcurl back, which the library forbids (curl's `docs/examples/hiperfifo.c` shows the shape).
///
/// libcurl points at it unretained: `CurlMulti` owns it and frees the multi handle first.
final class CurlWatches {
    private let loop: EventLoop
    private let ready: (curl_socket_t, Int32) -> Void
    private let timer: LoopTimer
    private var sockets: [curl_socket_t: Socket] = [:]
    /// libcurl wants to be called as soon as its caller is out of it.
    private(set) var isDue = false

    /// - Parameters:
    ///   - ready: a socket is ready for these `CURL_CSELECT_` events.
    ///   - timeout: the timer's time has come.
    init(_ loop: EventLoop, ready: @escaping (curl_socket_t, Int32) -> Void, timeout: @escaping () -> Void) {
        self.loop = loop
        self.ready = ready
        timer = LoopTimer(loop, handler: timeout)
    }

    func install(on multi: UnsafeMutableRawPointer) throws(CurlError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        var code = ccurl_multi_set_socket(multi, socketCallback, context)
        guard code == CURLM_OK else { throw CurlError("curl_multi_setopt SOCKETFUNCTION", code) }
        code = ccurl_multi_set_timer(multi, timerCallback, context)
        guard code == CURLM_OK else { throw CurlError("curl_multi_setopt TIMERFUNCTION", code) }
    }

    func install(on transfer: Transfer) throws(CurlError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try transfer.check(ccurl_easy_set_open_socket(transfer.easy, openCallback), CURLOPT_OPENSOCKETFUNCTION)
        try transfer.set(CURLOPT_OPENSOCKETDATA, context)
        try transfer.check(ccurl_easy_set_close_socket(transfer.easy, closeCallback), CURLOPT_CLOSESOCKETFUNCTION)
        try transfer.set(CURLOPT_CLOSESOCKETDATA, context)
    }

    // MARK: The timer

    /// Whether libcurl is due; asked by whoever then calls it.
    func takeDue() -> Bool {
        exchange(&isDue, with: false)
    }

    /// Makes what is due now the timer's work, in the loop's next turn.
    func postpone() {
        guard takeDue() else { return }
        timer.schedule(after: .zero)
    }

    fileprivate func setTimer(_ milliseconds: Int) {
        isDue = milliseconds == 0
        if milliseconds > 0 {
            timer.schedule(after: .milliseconds(milliseconds))
        } else {
            timer.unschedule()
        }
    }

    // MARK: The sockets

    /// One descriptor. Its registrations are made when first wanted.
    private final class Socket {
        var read: SocketWatch?
        var write: SocketWatch?
        /// libcurl opened it with us and will close it with us.
        let isConnection: Bool
        /// In libcurl's pool, between two requests.
        var isIdle = false

        init(isConnection: Bool) {
            self.isConnection = isConnection
        }

        func cancel() {
            read?.cancel()
            write?.cancel()
        }
    }

    fileprivate func watch(_ descriptor: curl_socket_t, _ what: Int32) {
        if what == CURL_POLL_REMOVE { return unwatch(descriptor) }
        let socket = sockets[descriptor] ?? add(descriptor, isConnection: false)
        socket.isIdle = false
        if what & CURL_POLL_IN != 0 {
            let read =
                socket.read
                ?? SocketWatch(loop, descriptor, .read) { [unowned self, unowned socket] in
                    if socket.isIdle {
                        // The upstream closed it, or spoke out of turn; libcurl finds out before it uses it again.
                        socket.read?.pause()
                    } else {
                        ready(descriptor, CURL_CSELECT_IN)
                    }
                }
            socket.read = read
            read.resume()
        } else {
            socket.read?.pause()
        }
        if what & CURL_POLL_OUT != 0 {
            let write =
                socket.write
                ?? SocketWatch(loop, descriptor, .write) { [unowned self] in
                    ready(descriptor, CURL_CSELECT_OUT)
                }
            socket.write = write
            write.resume()
        } else {
            socket.write?.pause()
        }
    }

    /// A connection stays registered for reading when its request is done: the next one wants just that, and two
    /// `epoll_ctl` a request are saved. Its end comes with `close`. Any other descriptor, the pipe to a name look-up's
    /// thread, is closed right after this without another word, and its number may be a new connection's at once: it
    /// must be forgotten here.
    private func unwatch(_ descriptor: curl_socket_t) {
        guard let socket = sockets[descriptor] else { return }
        if socket.isConnection {
            socket.isIdle = true
            socket.write?.pause()
        } else {
            socket.cancel()
            sockets[descriptor] = nil
        }
    }

    @discardableResult
    private func add(_ descriptor: curl_socket_t, isConnection: Bool) -> Socket {
        let socket = Socket(isConnection: isConnection)
        sockets[descriptor] = socket
        return socket
    }

    fileprivate func open(_ address: curl_sockaddr) -> curl_socket_t {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, address.socktype | flags, address.protocol)
        if descriptor >= 0 { add(descriptor, isConnection: true) }
        // -1 is CURL_SOCKET_BAD.
        return descriptor
    }

    fileprivate func close(_ descriptor: curl_socket_t) {
        // Before the descriptor: libevent must not watch a number that means something else.
        sockets.removeValue(forKey: descriptor)?.cancel()
        Glibc.close(descriptor)
    }
}

// MARK: - Callbacks

private func watches(_ context: UnsafeMutableRawPointer?) -> CurlWatches? {
    context.map { Unmanaged<CurlWatches>.fromOpaque($0).takeUnretainedValue() }
}

private let socketCallback: curl_socket_callback = { _, descriptor, what, context, _ in
    watches(context)?.watch(descriptor, what)
    return 0
}

/// -1 deletes the timer, 0 means soon.
private let timerCallback: curl_multi_timer_callback = { _, milliseconds, context in
    watches(context)?.setTimer(milliseconds)
    return 0
}

private let openCallback: curl_opensocket_callback = { context, _, address in
    guard let watches = watches(context), let address else { return -1 }
    return watches.open(address.pointee)
}

private let closeCallback: curl_closesocket_callback = { context, descriptor in
    watches(context)?.close(descriptor)
    return 0
}
