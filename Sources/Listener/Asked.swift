import Relay

/// What of a request its answer still needs, and the request log.
struct Asked: Sendable {
    let method: Method?
    let id: UniqueID
    let callersID: String?
    /// Nil for what was not read so far.
    let received: Timestamp?
    let bodyBytes: Int
    /// The sender means to send no more requests, or cannot be believed about where the next one begins.
    let closes: Bool
    let isHTTP10: Bool
    private let client: PeerAddress
    private let began: ContinuousClock.Instant
    private let arrived = ContinuousClock.Instant.now

    init(_ request: Request, _ head: RequestHead, began: ContinuousClock.Instant) {
        method = request.method
        id = request.id
        callersID = request.callersID
        received = request.received
        bodyBytes = request.body.count
        closes = !head.isPersistent
        isHTTP10 = head.isHTTP10
        client = request.peer
        self.began = began
    }

    /// - Parameter id: for a request that named none, or was not read so far.
    init(_ failure: RequestReader.Failure, peer: PeerAddress, began: ContinuousClock.Instant, id: UniqueID) {
        method = failure.method
        self.id = id
        received = nil
        callersID = failure.head.flatMap { $0.request(id: id).callersID }
        bodyBytes = failure.bodyBytes
        closes = failure.closes || failure.head?.isPersistent != true
        isHTTP10 = failure.head?.isHTTP10 == true
        client = peer
        self.began = began
    }

    func exchange(with response: Response) -> Exchange {
        Exchange(
            method: method, id: id, callersID: callersID, peer: client, requestBodyBytes: bodyBytes,
            status: response.status,
            responseBodyBytes: response.body.count, account: response.account,
            receiveDuration: began.duration(to: arrived), handleDuration: arrived.duration(to: .now))
    }
}

extension RequestHead {
    func request(
        body: [UInt8] = [], compressedBody: [UInt8]? = nil, peer: PeerAddress = .loopback, id: UniqueID,
        received: Timestamp = .now
    ) -> Request {
        Request(
            method: method, path: path, query: query, headers: headers, body: body, compressedBody: compressedBody,
            peer: peer, id: id, received: received)
    }
}
