/// `deadlines`: how long a connection may take.
package struct DeadlinesConfiguration: Sendable, Equatable {
    /// For the head of a request, from its first byte. Default: 5s.
    package let headers: Duration
    /// For its body. Default: 10s.
    package let body: Duration
    /// Between two requests. Default: 75s, longer than load balancers keep a connection, so that they close it and not
    /// we.
    package let idle: Duration
    /// For the other end to take an answer. Default: 10s.
    package let write: Duration

    init(_ section: Section) {
        headers = section.value("headers", .duration, default: .seconds(5))
        body = section.value("body", .duration, default: .seconds(10))
        idle = section.value("idle", .duration, default: .seconds(75))
        write = section.value("write", .duration, default: .seconds(10))
    }
}

/// `drain`: how it stops.
package struct DrainConfiguration: Sendable, Equatable {
    /// From `/readyz` turning 503 until connections are refused: the load balancer must notice in between. Default: 5s.
    package let delay: Duration
    /// For what is in flight to end. Default: 30s.
    package let timeout: Duration

    init(_ section: Section) {
        delay = section.value("delay", .delay, default: .seconds(5))
        timeout = section.value("timeout", .duration, default: .seconds(30))
    }
}
