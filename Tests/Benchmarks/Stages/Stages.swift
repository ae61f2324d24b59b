import Authentication
import Listener
import Logging
import RateLimit
import Relay
import SQLiteOutbox
import Vendors

extension Stage {
    /// Bytes to a request: all of it in one piece, on a connection that stays open.
    static let reader = Stage(name: "reader") {
        let webhook = try Sample.webhook()
        var reader = RequestReader(limits: RequestLimits())
        return try Work {
            webhook.withUnsafeBytes { reader.append($0) }
            guard case .request = reader.next() else { throw Surprise(words: "no request") }
        }
    }

    /// A token in the query, which is taken out of it.
    static let authenticate = Stage(name: "authenticate") {
        let request = try Sample.received(Sample.webhook())
        return try Work {
            var received = Received(request, through: .hook(Sample.source))
            try expect(try Node.gate.authenticate(&received) == .source(Sample.source), "somebody else")
        }
    }

    /// Of a source: whether its sender may prove itself, and whether it may come in.
    static let limiter = Stage(name: "limiter") {
        let turnstile = Turnstile()
        let node = try Node(limiter: turnstile)
        try node.intake.welcome(Received(Sample.received(Sample.webhook()), through: .hook(Sample.source)))
        await node.outbox.close()
        guard let authenticated = turnstile.passed else { throw Surprise(words: "nobody was authenticated") }
        let limiter = Node.limiter()
        return try Work {
            try limiter.mayProve(authenticated.received)
            try limiter.admit(authenticated)
        }
    }

    /// A payload to patches.
    static func vendor(_ name: String) -> Stage {
        Stage(name: "vendor-\(name)") {
            let catalog = try Sample.catalog()
            let request = try Sample.event(of: name, for: catalog)
            let entrance = Sample.hook(name)
            let expected = try catalog.normalize(request, through: entrance, of: nil)
            return try Work {
                let result = try catalog.normalize(request, through: entrance, of: nil)
                try expect(result.patches.count == expected.patches.count, "other patches")
            }
        }
    }

    /// What is known of a profile and what another vendor says of it: one field is new, one newer, one old.
    static let merge = Stage(name: "merge") {
        func field(_ identifier: Identifier, _ text: String, _ second: Int) -> MergedPatch.Field {
            MergedPatch.Field(
                identifier: identifier, value: .text(text), at: Sample.received + .seconds(second),
                sequence: Int64(second))
        }
        let known = MergedPatch([
            field(.amplitudeDeviceID, "7A1D5C0E-93B4-4E52-8F37-21C6E0B9D4AA", 1),
            field(.amplitudeUserID, "usr_48213", 3),
        ])
        let other = MergedPatch([
            field(.amplitudeDeviceID, "0C3D9E7F-93B4-4E52-8F37-21C6E0B9D4AA", 2),
            field(.amplitudeUserID, "usr_48214", 2), field(.appsflyerID, "1791840012345-4417802", 2),
        ])
        return try Work {
            var merged = known
            merged.merge(other)
            try expect(merged.fields.count == 3, "not three fields")
        }
    }

    /// An event that says what Adapty holds already, which is most of them.
    static let recognize = Stage(name: "recognize") {
        let catalog = try Sample.catalog()
        let event = try catalog.normalize(
            Sample.event(of: Sample.source.vendor, for: catalog), through: .hook(Sample.source), of: nil)
        let submission = Submission(
            id: UniqueID(high: 1, low: 1), app: Sample.source.app, origin: Sample.source.name, patches: event.patches,
            received: Sample.received)
        let outbox = try Node.outbox()
        try expect(try await outbox.append(submission) == [.accepted], "it is not new")
        try await Node.deliverAll(in: outbox)
        return try Work(end: { await outbox.close() }) {
            try expect(outbox.recognize(submission) == [.unchangedApplied], "it is not known")
        }
    }

    /// A new profile, durable: 64 callers, each of whom appends the next when the last is.
    static let commit = Stage(name: "commit", isSteady: false) {
        let outbox = try Node.outbox()
        var appended = 0
        return Work(
            perform: { count in
                let profiles = appended..<appended + count
                appended += count
                try await withThrowingTaskGroup { group in
                    for first in profiles.prefix(64) {
                        group.addTask {
                            for profile in stride(from: first, to: profiles.upperBound, by: 64) {
                                let result = try await outbox.append(.new(profile))
                                try expect(result == [.accepted], "it is not new")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }, end: { await outbox.close() })
    }

    /// What is counted and logged of a request, but for a profile's hash and the copy into the writer's buffer.
    static let logLine = Stage(name: "log-line") {
        let log = RequestLog(log: Lines(), label: { $0.value })
        var account = Account()
        account.route = "/hooks/\(Sample.source.name)"
        account.app = Sample.source.app
        account.caller = Sample.source.name
        account.profile = .profileID("5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12")
        account.unchanged = 1
        let exchange = Exchange(
            method: .post, id: UniqueID(high: 1, low: 1), callersID: nil, peer: PeerAddress("203.0.113.24"),
            requestBodyBytes: 1180, status: 200, responseBodyBytes: 85, account: account,
            receiveDuration: .microseconds(40), handleDuration: .microseconds(25))
        return try Work { log.answered(exchange) }
    }

    /// From a request to its answer, for an event that says what Adapty holds already.
    static let intake = Stage(name: "intake") {
        let node = try Node()
        let request = try Sample.received(Sample.webhook())
        try expect(await node.responder.respond(to: request).account.accepted == 1, "it is not new")
        try await Node.deliverAll(in: node.outbox)
        return try Work(end: { await node.outbox.close() }) {
            guard case .now(let response) = node.responder.reply(to: request) else {
                throw Surprise(words: "the answer waits")
            }
            try expect(response.status == 200 && response.account.unchanged == 1, "it is not known")
        }
    }
}

extension Submission {
    /// Of a profile that is like no other.
    fileprivate static func new(_ number: Int) -> Submission {
        let id = UniqueID(high: 1, low: UInt64(number))
        let patch = Patch(
            profile: .profileID(id), identifiers: IntegrationIdentifiers([.appsflyerID: "1791840012345-\(number)"]),
            at: Sample.received)
        return Submission(
            id: id, app: Sample.source.app, origin: Sample.source.name, patches: [patch], received: Sample.received)
    }
}

/// Makes lines as the program's log does, and keeps none.
private struct Lines: LineLog {
    func write(_ level: Logger.Level, _ message: StaticString, _ fields: (inout JSONText) -> Void) {
        var json = JSONText(reserving: 1024)
        json.object { json in
            json.field("time", Sample.received)
            json.field("level", level.rawValue)
            json.field("message", plain: message)
            fields(&json)
        }
        json.newline()
    }
}
