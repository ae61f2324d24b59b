package import EventLoop
package import Relay

/// Adapty's server-side API, as one app sees it: from identifiers to one HTTP request, from its answer to an outcome.
///
/// May be called from any task; a request runs on one of the loops it was given. `close` comes before those loops stop.
package final class AdaptyAPI: Upstream, Reader {
    private let version: APIVersion
    private let passesNonASCII: Bool
    private let keys: KeyRing
    private let transports: TransportPool

    package init(_ settings: Settings, on loops: [EventLoop]) throws(Settings.Mistake) {
        let endpoint = try Endpoint(settings.upstream, version: settings.version)
        version = settings.version
        passesNonASCII = settings.passesNonASCII
        keys = try KeyRing(settings.secretKeys)
        transports = TransportPool(TransferOptions(settings, endpoint: endpoint), on: loops)
    }

    /// `POST` of the identifiers that this version of the API knows.
    package func set(_ identifiers: IntegrationIdentifiers, of profile: ProfileReference) async -> Attempt {
        let known = version == .v2 ? identifiers : identifiers.limited(to: version)
        guard !known.isEmpty else { return .notSent(.nothingToSet(in: version)) }
        return await attempt(.post(known.json), about: profile)
    }

    /// `GET` of what Adapty holds of a profile; its answer is the attempt's, as it came.
    package func read(_ profile: ProfileReference) async -> Attempt {
        await attempt(.get, about: profile)
    }

    /// Takes no more requests, lets those in flight end for as long as `grace`, abandons the rest, and frees
    /// everything.
    package func close(grace: Duration) async {
        await transports.close(grace: grace)
    }

    /// Sends with the key that worked last; on 401 with each of the others. A key is rotated by making a new one and
    /// then deleting the old one, so at least one of a configured pair works at any time.
    private func attempt(_ method: Call.Method, about profile: ProfileReference) async -> Attempt {
        let start = ContinuousClock.now
        let value = profile.value
        guard passesNonASCII || value.utf8.allSatisfy({ $0 < 0x80 }) else { return .notSent(.notASCII(profile)) }
        var last = Attempt(outcome: .abandoned, answer: nil, duration: .zero)
        for key in keys.fromCurrent {
            let request = Call.Request(
                method: method, profileHeader: profile.header, profileValue: value, headers: key.headers)
            let ending = await transports.perform(request)
            last = Attempt(ending, redacting: keys, now: .now, duration: .now - start)
            guard let answer = last.answer else { return last }
            guard answer.status == 401, case .misconfigured = last.outcome else {
                keys.remember(key)
                return last
            }
        }
        return last
    }
}

extension Attempt {
    fileprivate init(_ ending: Ending, redacting keys: KeyRing, now: Timestamp, duration: Duration) {
        switch ending {
        case .answered(var answer):
            keys.redact(&answer)
            self.init(
                outcome: keys.redacted(Outcome(answer, now: now)),
                answer: UpstreamAnswer(
                    status: answer.status, contentType: answer.contentType, body: answer.body,
                    isWhole: answer.isWhole, requestID: answer.requestID),
                duration: duration)
        case .failed(let failure):
            self.init(outcome: Outcome(failure), answer: nil, duration: duration)
        case .abandoned:
            self.init(outcome: .abandoned, answer: nil, duration: duration)
        }
    }

    /// Nothing went upstream, and nothing would with another attempt.
    fileprivate static func notSent(_ failure: Failure) -> Attempt {
        Attempt(outcome: .rejected(failure), answer: nil, duration: .zero)
    }
}

extension Failure {
    fileprivate static func nothingToSet(in version: APIVersion) -> Failure {
        Failure(
            status: nil, code: "validation_error", message: "\(version.rawValue) of the API knows none of these fields."
        )
    }

    fileprivate static func notASCII(_ profile: ProfileReference) -> Failure {
        Failure(
            status: nil, code: "bad_profile", message: "\(profile.header) is not ASCII, and this app refuses others.")
    }
}
