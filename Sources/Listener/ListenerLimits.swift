package import Relay

/// Every number a listener is bound by.
package struct ListenerLimits: Sendable {
    package var request = RequestLimits()
    /// Proxies whose `Forwarded` and `X-Forwarded-For` are believed.
    package var trustedProxies: [Network] = []
    /// Proxies whose connections begin with a PROXY header, all of them: the protocol forbids to guess.
    package var proxyProtocol: [Network] = []

    /// From the first byte of a request to the end of its head. A fresh connection has as long for its first byte.
    package var headDeadline = Duration.seconds(5)
    /// From the end of the head to the end of the body.
    package var bodyDeadline = Duration.seconds(10)
    /// Between requests. Longer than a load balancer's, so that it never reuses a connection that is about to close.
    package var idleDeadline = Duration.seconds(75)
    /// For the peer to take one answer.
    package var writeDeadline = Duration.seconds(10)
    /// How long, and for how many bytes, a connection is read and ignored after its last answer; see `Connection`.
    package var lingerDeadline = Duration.seconds(2)
    package var lingerBytes = 16 << 20

    /// How long a peer that ended its side while its request is worked on is still answered; and how often it is looked
    /// whether one that sent more ahead has gone. Nothing tells who has gone from who only stopped sending.
    package var hangUpDeadline = Duration.milliseconds(500)

    /// What is taken from a connection at once, before others have their turn; a PROXY header at least, 4096. A
    /// thousand connections that each send so much ahead hold a quarter of the bytes that may be in flight.
    package var receiveBytes = 16384

    /// How often the deadlines are looked at; how late they can be.
    package var sweepInterval = Duration.milliseconds(250)
    /// How long nothing is accepted after the process ran out of connections, descriptors or memory.
    package var acceptPause = Duration.milliseconds(100)
    /// Connections accepted in one go, before those that are open get their turn.
    package var acceptBurst = 64
    /// How long a connection must have asked nothing before it may be closed to make room for another.
    package var leastRest = Duration.seconds(1)
    /// Of a connection that is turned away: for how long it should stay away.
    package var retryAfterSeconds = 5

    package init() {}
}

/// What one request may measure.
package struct RequestLimits: Sendable {
    package var targetBytes = 32_768
    /// The request line and all fields. A target that is too long is read so far, too: the fields behind it say who
    /// sent it.
    package var headBytes = 49_152
    package var fields = 100
    /// As sent, and again once decoded; of a path that takes long bodies.
    package var bodyBytes = 4 << 20
    /// Of any other.
    package var shortBodyBytes = 262_144
    /// Which paths do.
    package var takesLongBodies: @Sendable (_ path: String) -> Bool = { _ in true }
    /// How many times its size a compressed body may grow to.
    package var inflation = 100
    /// The extensions of one chunk: ignored, so there is no reason to send any.
    package var chunkExtensionBytes = 256
    /// The fields behind a chunked body, which are dropped.
    package var trailerBytes = 4096

    package init() {}

    func bodyBytes(at path: String) -> Int { takesLongBodies(path) ? bodyBytes : shortBodyBytes }
}
