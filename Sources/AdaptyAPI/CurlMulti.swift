import CCurl
import EventLoop

/// The owner of one multi handle, driven by one loop. Confined to it.
final class CurlMulti {
    private let multi: UnsafeMutableRawPointer
    private let finished: (Transfer, CURLcode) -> Void
    let watches: CurlWatches
    private var isDriving = false

    /// Reaches the handle that is not there yet from the watches that are made before it.
    private final class Link {
        weak var multi: CurlMulti?
    }

    /// - Parameters:
    ///   - connections: how many idle ones are kept.
    ///   - finished: told of each transfer that ended by itself, still added.
    init(
        on loop: EventLoop, connections: Int, finished: @escaping (Transfer, CURLcode) -> Void
    ) throws(CurlError) {
        try CurlLibrary.initialize()
        guard let multi = curl_multi_init() else { throw CurlError("curl_multi_init", CURLE_OUT_OF_MEMORY) }
        self.multi = multi
        self.finished = finished
        let link = Link()
        watches = CurlWatches(
            loop, ready: { link.multi?.act($0, $1) }, timeout: { link.multi?.act(CURL_SOCKET_TIMEOUT, 0) })
        link.multi = self
        try watches.install(on: multi)
        // The default is four times the transfers of the moment, and would close the connections of a burst right after
        // it.
        let code = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, connections)
        guard code == CURLM_OK else { throw CurlError("curl_multi_setopt MAXCONNECTS", code) }
    }

    deinit {
        // Closes the pooled connections, which calls `watches` back: it is still there. Every transfer has been
        // removed.
        curl_multi_cleanup(multi)
    }

    func add(_ transfer: Transfer) throws(CurlError) {
        let code = curl_multi_add_handle(multi, transfer.easy)
        guard code == CURLM_OK else { throw CurlError("curl_multi_add_handle", code) }
        drive()
    }

    /// Takes a transfer out, finished or not. The connection of an unfinished one is closed.
    func remove(_ transfer: Transfer) {
        curl_multi_remove_handle(multi, transfer.easy)
        if !isDriving { watches.postpone() }
    }

    /// Lets libcurl look at its clock, should a timer have been lost.
    func poke() {
        act(CURL_SOCKET_TIMEOUT, 0)
    }

    private func act(_ socket: curl_socket_t, _ events: Int32) {
        // Its code says nothing of a transfer: what failed is reported like what finished.
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, events, &running)
        drive()
    }

    /// Does what is due and hands out what is done, outside every callback. A transfer that is added or removed
    /// meanwhile is taken along by the round that is under way, so that a chain of short ones does not become a chain
    /// of calls.
    private func drive() {
        guard !isDriving else { return }
        isDriving = true
        defer { isDriving = false }
        var rounds = 0
        handOut()
        while rounds < 8, watches.takeDue() {
            var running: Int32 = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
            handOut()
            rounds += 1
        }
        // The loop has others to serve.
        watches.postpone()
    }

    /// Only `curl_multi_info_read` says what finished.
    private func handOut() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // Copied first: removing the handle frees the message.
            let code = message.pointee.data.result
            var context: UnsafeMutableRawPointer?
            ccurl_easy_get_private(easy, &context)
            guard let context else { continue }
            // Unretained: the transport keeps every transfer it has added.
            finished(Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue(), code)
        }
    }
}
