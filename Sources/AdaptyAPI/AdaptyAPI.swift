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
        return await attempt(.post(known.json), about: profile, with: keys.all, since: .now)
    }

    package func set(
        _ identifiers: IntegrationIdentifiers, of profile: ProfileReference, on executor: any TaskExecutor,
        ended: @escaping @Sendable (Attempt) -> Void
    ) {
        let known = version == .v2 ? identifiers : identifiers.limited(to: version)
        guard !known.isEmpty else { return ended(.notSent(.nothingToSet(in: version))) }
        guard isSendable(profile) else { return ended(.notSent(.notASCII(profile))) }
        let start = ContinuousClock.now
        let (method, key) = (Call.Method.post(known.json), keys.current)
        transports.begin(request(method, about: profile, with: key)) { [self] ending in
            let attempt = Attempt(ending, redacting: keys, now: .now, duration: .now - start)
            if !attempt.isUnauthorized || keys.count == 1 { return ended(attempt) }
            // Seldom: a key is being rotated, and the others have their turn.
            Task(executorPreference: executor) { [self] in
                ended(await self.attempt(method, about: profile, with: keys.others(than: key), since: start))
            }
        }
    }

    /// `GET` of what Adapty holds of a profile; its answer is the attempt's, as it came.
    package func read(_ profile: ProfileReference) async -> Attempt {
        await attempt(.get, about: profile, with: keys.all, since: .now)
    }

    /// Takes no more requests, lets those in flight end for as long as `grace`, abandons the rest, and frees
    /// everything.
    package func close(grace: Duration) async {
        await transports.close(grace: grace)
    }

    /// Sends with the key that worked last; on 401 with each of the others. A key is rotated by making a new one and
    /// then deleting the old one, so at least one of a configured pair works at any time.
    private func attempt(
        _ method: Call.Method, about profile: ProfileReference, with keys: [KeyRing.Key],
        since start: ContinuousClock.Instant
    ) async -> Attempt {
        guard isSendable(profile) else { return .notSent(.notASCII(profile)) }
        var last = Attempt(outcome: .abandoned, answer: nil, duration: .zero)
        for key in keys {
            let ending = await transports.perform(request(method, about: profile, with: key))
            last = Attempt(ending, redacting: self.keys, now: .now, duration: .now - start)
            guard last.answer != nil else { return last }
            guard last.isUnauthorized else {
                self.keys.remember(key)
                return last
            }
        }
        return last
    }

    private func isSendable(_ profile: ProfileReference) -> Bool {
        guard !passesNonASCII, case .customerUserID(let id) = profile else { return true }
        return id.text.withBytes { !$0.holdsNonASCII }
    }

    private func request(
        _ method: Call.Method, about profile: ProfileReference, with key: KeyRing.Key
    ) -> Call.Request {
        Call.Request(
            method: method, profileHeader: profile.header, profileValue: profile.value, headers: key.headers)
    }
}

extension Attempt {
    /// The key is not one that Adapty knows.
    fileprivate var isUnauthorized: Bool {
        guard answer?.status == 401, case .misconfigured = outcome else { return false }
        return true
    }

    fileprivate init(_ ending: Ending, redacting keys: KeyRing, now: Timestamp, duration: Duration) {
        switch ending {
        case .answered(var answer):
            keys.redact(&answer)
            self.init(
                outcome: keys.redacted(Outcome(answer, now: now)),
                answer: UpstreamAnswer(
                    status: answer.status, contentType: answer.contentType, body: answer.body,
                    isWhole: answer.isWhole, requestID: answer.requestID),
                duration: duration, isEndUnknown: answer.isOfGatewayThatGaveUp)
        case .failed(let failure):
            self.init(
                outcome: Outcome(failure), answer: nil, duration: duration, isEndUnknown: failure.wasSent)
        case .abandoned(let wasSent):
            self.init(outcome: .abandoned, answer: nil, duration: duration, isEndUnknown: wasSent)
        }
    }

    /// Nothing went upstream, and nothing would with another attempt.
    fileprivate static func notSent(_ failure: Failure) -> Attempt {
        Attempt(outcome: .rejected(failure, .all), answer: nil, duration: .zero)
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
