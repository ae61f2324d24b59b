import Relay

/// Reads one webhook request: finds its events, and makes of each a patch or a skip.
struct EventReader {
    /// Events of one request. Mixpanel sends 1000; a body of the usual limit holds fewer than this with an id each.
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
            try readDocument(document, Position(line: line), hasQuery: query != nil)
        }
        if !hasBody {
            guard let query else { throw .malformedBody("There is no payload.") }
            try readEvent(query, Position(), hasQuery: false)
        }
        return result
    }

    private mutating func readDocument(
        _ document: JSONValue, _ position: Position, hasQuery: Bool
    ) throws(Refusal) {
        guard document.isArray else {
            // A query speaks of one event: beside several it would say the same of everybody.
            return try readEvent(document, position, hasQuery: hasQuery && position.line == nil)
        }
        var position = position
        for (index, element) in document.elements.enumerated() {
            position.element = index
            try readEvent(element, position, hasQuery: false)
        }
        if position.element == nil { skip(.empty, "the array is empty", position) }
    }

    private mutating func readEvent(_ event: JSONValue, _ position: Position, hasQuery: Bool) throws(Refusal) {
        guard event.isObject else { return try skipNonObject(position) }
        let envelope = scratch.envelopeFindings
        plan.tree.find(in: event, envelope, using: scratch.nested)
        for (place, number) in plan.batches {
            guard let members = batch(envelope[number]) else { continue }
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
                try decide(Evidence(event: scratch.memberFindings, envelope: envelope, query: nil), position)
            }
            if position.member == nil { skip(.empty, "\(place) is empty", position) }
            return
        }
        let query = hasQuery ? scratch.queryFindings : nil
        try decide(Evidence(event: envelope, envelope: envelope, query: query), position)
    }

    /// An array, also where it is written within a string: forms carry batches so.
    private func batch(_ value: JSONValue?) -> JSONValue? {
        guard let value, value.kind == .string else { return value.flatMap { $0.isArray ? $0 : nil } }
        return scratch.nested.read(value.text).flatMap { $0.isArray ? $0 : nil }
    }

    // MARK: - One event

    private mutating func decide(_ evidence: Evidence, _ position: Position) throws(Refusal) {
        try count()
        let look = Look(evidence: evidence, position: position, trace: trace)
        var identifiers = IntegrationIdentifiers()
        var exception: String?
        for (identifier, lookup) in plan.identifiers {
            switch look.up(lookup) {
            case .text(let text, at: _): identifiers[identifier] = .text(text)
            case .excepted(let because): exception = because
            case .unfit, .absent: break
            }
        }
        guard !identifiers.isEmpty else { return skipWithoutIdentifier(exception, look) }
        guard let profile = address(look) else { return }
        if let echo = plan.echo, look.holds(echo), case .profileID(let id) = profile {
            // What Adapty put in the user's place is no id of the vendor's.
            for (identifier, value) in identifiers.fields {
                if case .text(let text) = value, UniqueID(text) == id { identifiers[identifier] = nil }
            }
            guard !identifiers.isEmpty else {
                return skip(.echo, "Adapty sent this event, and its only id is the profile's own", position)
            }
        }
        result.patches.append(
            Patch(profile: profile, identifiers: identifiers, at: look.upTime(plan.eventTime, received: received)))
    }

    /// Whom the event is about; nil where that was skipped.
    private mutating func address(_ look: Look) -> ProfileReference? {
        switch look.up(plan.profileID) {
        case .text(let text, at: let place):
            if let id = UniqueID(text) {
                trace?.note(look.position, plan.customerUserID.name, "", .overruled(by: plan.profileID.name))
                return .profileID(id)
            }
            skip(.badProfile, "\(place) is not a UUID", look.position)
            return nil
        case .unfit(let why, at: let place):
            skip(.badProfile, "\(place) \(why)", look.position)
            return nil
        case .excepted, .absent:
            break
        }
        switch look.up(plan.customerUserID) {
        case .text(let text, at: let place):
            if let echo = plan.echo, let id = UniqueID(text), look.holds(echo) { return .profileID(id) }
            if let id = CustomerUserID(text) { return .customerUserID(id) }
            skip(.badProfile, "\(place) cannot stand in a header", look.position)
        case .unfit(let why, at: let place):
            skip(.badProfile, "\(place) \(why)", look.position)
        case .excepted(let because):
            skip(.noProfile, "no profile id, and no customer user id: \(because)", look.position)
        case .absent:
            skip(.noProfile, "no profile id and no customer user id", look.position)
        }
        return nil
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

    private mutating func skipNonObject(_ position: Position) throws(Refusal) {
        try count()
        skip(.notAnObject, "an event must be an object", position)
    }

    private mutating func skipWithoutIdentifier(_ exception: String?, _ look: Look) {
        if let exception { return skip(.notApplicable, exception, look.position) }
        for lookalike in plan.lookalikes where lookalike.places.contains(where: { look.isPresent($0) }) {
            return skip(.notApplicable, lookalike.because, look.position)
        }
        let names = plan.identifiers.map(\.identifier.name).joined(separator: ", ")
        skip(.noIdentifier, "no \(names)", look.position)
    }
}
