import Relay

/// Reads one webhook request: finds its events, and makes of each a patch or a skip.
struct EventReader {
    /// Events of one request: they are stored in one commit. Mixpanel sends 1000.
    static let mostEvents = 10_000

    private let plan: Plan
    private let scratch: Scratch
    private let received: Timestamp
    private let trace: Trace?
    private var result = Normalization()
    private var eventCount = 0

    init(_ plan: Plan, _ scratch: Scratch, received: Timestamp, trace: Trace?) {
        self.plan = plan
        self.scratch = scratch
        self.received = received
        self.trace = trace
        scratch.prepare(for: plan.tree)
    }

    mutating func read(_ request: Request) throws(Refusal) -> Normalization {
        let query = scratch.readQuery(of: request)
        if let query { plan.tree.find(in: query, scratch.queryFindings, using: scratch.nested) }
        var hasBody = false
        // Nested documents of the query stay: their values are in its table.
        let mark = scratch.nested.mark
        try scratch.readBody(of: request) { document, line throws(Refusal) in
            hasBody = true
            scratch.nested.rewind(to: mark)
            switch document {
            case .value(let value): try readDocument(value, Position(line: line), query)
            case .unreadable(let reason, let words):
                try count()
                skip(reason, words, Position(line: line))
            }
        }
        if !hasBody {
            guard let query else { throw .malformedBody("There is no payload.") }
            try readEvent(query, Position(), nil)
        }
        return result
    }

    /// - Parameter query: what the query says of the same event.
    private mutating func readDocument(
        _ document: JSONValue, _ position: Position, _ query: JSONValue?
    ) throws(Refusal) {
        guard document.isArray else {
            // A query speaks of one event: beside several it would say the same of everybody.
            return try readEvent(document, position, position.line == nil ? query : nil)
        }
        var position = position
        for (index, element) in document.elements.enumerated() {
            position.element = index
            try readEvent(element, position, nil)
        }
        if position.element == nil { skip(.empty, "the array is empty", position) }
    }

    /// - Parameter envelope: what the event was taken out of, which may name the profile too.
    private mutating func readEvent(
        _ event: JSONValue, _ position: Position, _ query: JSONValue?, from envelope: JSONValue? = nil
    ) throws(Refusal) {
        guard event.isObject else { return try skipNonObject(position) }
        let findings = scratch.envelopeFindings
        plan.tree.find(in: event, findings, using: scratch.nested)
        for (place, number) in plan.batches {
            guard let members = batch(findings[number]) else { continue }
            // What was read of the envelope, the members themselves perhaps, stays while they are read.
            let mark = scratch.nested.mark
            var position = position
            for (index, member) in members.elements.enumerated() {
                position.member = (place, index)
                guard member.isObject else {
                    try skipNonObject(position)
                    continue
                }
                scratch.nested.rewind(to: mark)
                plan.tree.find(in: member, scratch.memberFindings, using: scratch.nested)
                let evidence = Evidence(event: scratch.memberFindings, envelope: findings, query: nil)
                _ = try decide(evidence, position, within: scope(member, nil))
            }
            if position.member == nil { skip(.empty, "\(place) is empty", position) }
            return
        }
        let evidence = Evidence(
            event: findings, envelope: findings, query: query == nil ? nil : scratch.queryFindings)
        let outside = position.wrapper == nil ? event : nil
        guard let wrapped = try decide(evidence, position, within: scope(envelope ?? event, query), outside: outside)
        else { return }
        try readWrapped(wrapped, position, query, from: event)
    }

    private func scope(_ body: JSONValue, _ query: JSONValue?) -> Look.SearchScope {
        Look.SearchScope(body: body, query: query)
    }

    private mutating func readWrapped(
        _ wrapped: Wrapper, _ position: Position, _ query: JSONValue?, from envelope: JSONValue
    ) throws(Refusal) {
        var position = position
        position.wrapper = wrapped.name
        guard wrapped.content.isArray else { return try readEvent(wrapped.content, position, query, from: envelope) }
        let mark = scratch.nested.mark
        for (index, element) in wrapped.content.elements.enumerated() {
            position.index = index
            scratch.nested.rewind(to: mark)
            try readEvent(element, position, nil)
        }
    }

    /// An array, also where it is written within a string: forms carry batches so.
    private func batch(_ value: JSONValue?) -> JSONValue? {
        guard let value, value.kind == .string else { return value.flatMap { $0.isArray ? $0 : nil } }
        return scratch.nested.read(value.text).flatMap { $0.isArray ? $0 : nil }
    }

    // MARK: - One event

    /// - Parameter outside: what may only be around the event.
    /// - Returns: what it is around: it has none of the ids, and nothing was skipped.
    private mutating func decide(
        _ evidence: Evidence, _ position: Position, within scope: Look.SearchScope, outside: JSONValue? = nil
    ) throws(Refusal) -> Wrapper? {
        let look = Look(evidence: evidence, position: position, trace: trace)
        var identifiers = IntegrationIdentifiers()
        var exception: String?
        for (identifier, lookup) in plan.identifiers {
            switch look.up(lookup) {
            case .text(let text, at: _): identifiers[identifier] = .text(text)
            case .excepted(let because): exception = because
            case .unfit, .ambiguous, .absent: break
            }
        }
        if identifiers.isEmpty, exception == nil, let outside, lookalike(look) == nil,
            let wrapper = Wrapper.find(in: outside, using: scratch.nested)
        {
            return wrapper
        }
        try count()
        guard !identifiers.isEmpty else {
            skipWithoutIdentifier(exception, look, scope)
            return nil
        }
        guard let profile = address(look, scope) else { return nil }
        if let echo = plan.echo, look.holds(echo), case .profileID(let id) = profile {
            // What Adapty put in the user's place is no id of the vendor's.
            for (identifier, value) in identifiers.fields {
                if case .text(let text) = value, UniqueID(text) == id { identifiers[identifier] = nil }
            }
            guard !identifiers.isEmpty else {
                skip(.echo, "Adapty sent this event, and its only id is the profile's own", position)
                return nil
            }
        }
        var at: Timestamp?
        switch look.upTime(plan.eventTime, received: received) {
        case .absent: break
        case .time(let time): at = time
        case .unreadable:
            at = .oldest
            result.unreadableTimes += 1
        }
        result.patches.append(Patch(profile: profile, identifiers: identifiers, at: at))
        return nil
    }

    /// Whom the event is about; nil where that was skipped. A profile id beats a user id, and Adapty's own name of a
    /// user beats the vendor's.
    private mutating func address(_ look: Look, _ scope: Look.SearchScope) -> ProfileReference? {
        // Asked once, and only where a name is not at its own place.
        var isWorthIt: Bool?
        var result = look.up(plan.profileID, isLast: false)
        if case .absent = result {
            isWorthIt = scope.isWorthIt
            if isWorthIt == true { result = search(CanonicalName.profileIDBytes, plan.profileID, look, scope) }
        }
        switch result {
        case .text(let text, at: let place):
            if let id = UniqueID(text) {
                trace?.note(look.position, plan.customerUserID.name, "", .overruled(by: plan.profileID.name))
                return .profileID(id)
            }
            return refuse(.badProfile, "\(place) is not a UUID", look)
        case .unfit(let why, at: let place): return refuse(.badProfile, "\(place) \(why)", look)
        case .ambiguous(at: let place): return refuse(.ambiguousProfile, "\(place) is there twice, and differs", look)
        case .excepted, .absent: trace?.note(look.position, plan.profileID.name, "", .absent)
        }
        result = look.up(plan.canonicalUserID, isLast: false)
        if case .absent = result, isWorthIt ?? scope.isWorthIt {
            result = search(CanonicalName.customerUserIDBytes, plan.canonicalUserID, look, scope)
        }
        if case .absent = result { result = look.up(plan.customerUserID) }
        switch result {
        case .text(let text, at: let place):
            if let echo = plan.echo, let id = UniqueID(text), look.holds(echo) { return .profileID(id) }
            if let id = CustomerUserID(text) { return .customerUserID(id) }
            return refuse(.badProfile, "\(place) cannot stand in a header", look)
        case .unfit(let why, at: let place): return refuse(.badProfile, "\(place) \(why)", look)
        case .ambiguous(at: let place): return refuse(.ambiguousProfile, "\(place) is there twice, and differs", look)
        case .excepted(let because):
            noteKeys(scope)
            return refuse(.noProfile, "no profile id, and no customer user id: " + because, look)
        case .absent:
            noteKeys(scope)
            return refuse(.noProfile, "no profile id and no customer user id", look)
        }
    }

    private func search(
        _ name: [UInt8], _ lookup: Plan.Lookup, _ look: Look, _ scope: Look.SearchScope
    ) -> Look.Result {
        let (others, nested) = (plan.aboutOthers, scratch.nested)
        let found = look.search(name, in: scope.body, lookup, others: others, using: nested)
        guard case .absent = found, let query = scope.query else { return found }
        return look.search(name, in: query, lookup, others: others, using: nested)
    }

    // MARK: - Skips

    private mutating func count() throws(Refusal) {
        eventCount += 1
        guard eventCount <= Self.mostEvents else {
            throw Refusal(413, "too_many_events", "A request may hold at most \(Self.mostEvents) events.")
        }
    }

    private mutating func skip(_ reason: Skip.Reason, _ words: String, _ position: Position) {
        result.skips.append(Skip(reason, position.prefixing(words)))
    }

    private mutating func refuse(_ reason: Skip.Reason, _ words: String, _ look: Look) -> ProfileReference? {
        skip(reason, words, look.position)
        return nil
    }

    /// The first event that was skipped so says what names came.
    private mutating func noteKeys(_ scope: Look.SearchScope) {
        if result.keys.isEmpty { result.keys = PayloadKeys.of(scope.body) }
    }

    private mutating func skipNonObject(_ position: Position) throws(Refusal) {
        try count()
        skip(.notAnObject, "an event must be an object", position)
    }

    private mutating func skipWithoutIdentifier(_ exception: String?, _ look: Look, _ scope: Look.SearchScope) {
        if let because = exception ?? lookalike(look) { return skip(.notApplicable, because, look.position) }
        noteKeys(scope)
        let names = plan.identifiers.map(\.identifier.name).joined(separator: ", ")
        skip(.noIdentifier, "no " + names, look.position)
    }

    /// What stands in the place of an id and is another.
    private func lookalike(_ look: Look) -> String? {
        plan.lookalikes.first { $0.places.contains { look.isPresent($0) } }?.because
    }
}
