import Relay

/// One limit, and what is kept for each key under it.
final class Meter: Sendable {
    /// As it is configured, and as callers and the log read it.
    let name: String
    let rate: Rate
    let algorithm: GCRA
    let arrivals: ArrivalTable

    init(_ name: String, _ rate: Rate, capacity: Int) {
        self.name = name
        self.rate = rate
        algorithm = GCRA(rate)
        arrivals = ArrivalTable(capacity: capacity)
    }

    func charge(_ key: some Hashable) -> Charge {
        var hasher = Hasher()
        hasher.combine(key)
        return Charge(meter: self, key: hasher.result)
    }
}

/// One unit to spend from one key's limit.
struct Charge {
    let meter: Meter
    let key: UInt64
}

/// A limit that a request was over.
struct Excess {
    let meter: Meter
    /// Nanoseconds until it would be within.
    let wait: UInt64
}

extension Hasher {
    /// SipHash under a seed that is made anew for every process.
    var result: UInt64 { UInt64(bitPattern: Int64(finalize())) }
}
