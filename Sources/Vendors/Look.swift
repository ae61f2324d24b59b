import Relay

/// What was found of one event: in itself, beside the batch it is a member of, and in the query.
struct Evidence {
    let event: PlaceTree.Findings
    /// The same as `event` where there is no batch.
    let envelope: PlaceTree.Findings
    /// Nil where there is none, or where it may not speak.
    let query: PlaceTree.Findings?

    @inline(__always)
    func inBody(_ seat: Plan.Seat) -> JSONValue? { (seat.isOfEnvelope ? envelope : event)[seat.number] }

    @inline(__always)
    func inQuery(_ seat: Plan.Seat) -> JSONValue? { query.flatMap { $0[seat.number] } }

    func anywhere(_ seat: Plan.Seat) -> JSONValue? { inBody(seat) ?? inQuery(seat) }
}

/// Looks fields up in the evidence of one event: the body's places in their order, then the query's.
struct Look {
    let evidence: Evidence
    let position: Position
    let trace: Trace?

    /// Ids that are longer are nobody's.
    static let mostBytes = CustomerUserID.mostBytes

    enum Result {
        case text(String, at: Place)
        /// There is a value, and it cannot be an id: why, as the end of a sentence.
        case unfit(String, at: Place)
        /// There is a value that a rule forbids, and no other.
        case excepted(String)
        /// Different values, none of which stands above the others.
        case ambiguous(at: Place)
        case absent
    }

    /// The first value that means something. What is no text, means nothing or is excepted is passed over; what is
    /// unfit or broken ends the search, because a value further down would then speak in the place of one that was
    /// meant.
    /// - Parameter isLast: nothing else is looked at where this finds nothing.
    func up(_ lookup: Plan.Lookup, isLast: Bool = true) -> Result {
        var exception: String?
        // By their indices: to copy a spot costs more than to find that nothing stands there.
        let spots = lookup.spots
        for index in spots.indices {
            guard let value = evidence.inBody(spots[index].seat) else { continue }
            if let result = judge(value, spots[index], lookup, &exception) { return result }
        }
        if evidence.query != nil {
            for index in spots.indices {
                guard let value = evidence.inQuery(spots[index].seat) else { continue }
                if let result = judge(value, spots[index], lookup, &exception) { return result }
            }
        }
        if let exception { return .excepted(exception) }
        if isLast { trace?.note(position, lookup.name, "", .absent) }
        return .absent
    }

    /// The same of Adapty's name of a profile, wherever else it stands in a document.
    func search(
        _ name: [UInt8], in document: JSONValue, _ lookup: Plan.Lookup, others: [[UInt8]],
        using nested: NestedDocuments
    ) -> Result {
        let search = ProfileSearch(
            name, in: document, meaningless: lookup.meaningless, others: others, using: nested)
        guard let (value, depth) = search.found else { return .absent }
        let levels = depth == 1 ? "" : ", \(depth) levels deep"
        let place = Place(stringLiteral: String(decoding: name, as: UTF8.self) + levels)
        if search.isAmbiguous { return .ambiguous(at: place) }
        var exception: String?
        return judge(value, Plan.Spot(place, 0), lookup, &exception) ?? .absent
    }

    /// Where Adapty's names are searched for, beside their own places. Made for every event: it holds nothing that is
    /// counted.
    struct SearchScope {
        let body: JSONValue
        let query: JSONValue?

        /// Nearly no event has such a name outside the places for it.
        var isWorthIt: Bool { body.mayNameProfile || query?.mayNameProfile ?? false }
    }

    /// When the event happened, as the first place says it that says it well. Where a time is there and none can be
    /// read it is oldest: taken for now it would win over what is newer.
    func upTime(_ lookup: Plan.Lookup, received: Timestamp) -> EventTime {
        var isThere = false
        let spots = lookup.spots
        for index in spots.indices {
            if let value = evidence.inBody(spots[index].seat),
                let time = readTime(value, spots[index], lookup, received, &isThere)
            {
                return .time(time)
            }
            if let value = evidence.inQuery(spots[index].seat),
                let time = readTime(value, spots[index], lookup, received, &isThere)
            {
                return .time(time)
            }
        }
        trace?.note(position, lookup.name, "", isThere ? .oldest : .absent)
        return isThere ? .unreadable : .absent
    }

    private func readTime(
        _ value: JSONValue, _ spot: Plan.Spot, _ lookup: Plan.Lookup, _ received: Timestamp, _ isThere: inout Bool
    ) -> Timestamp? {
        switch EventTime.read(value, received: received) {
        case .absent: return nil
        case .time(let time):
            trace?.note(position, lookup.name, spot.place.description, .taken)
            return time
        case .unreadable:
            isThere = true
            trace?.note(
                position, lookup.name, spot.place.description, .unusable("it is no time, or an absurd one"))
            return nil
        }
    }

    private func judge(
        _ value: JSONValue, _ spot: Plan.Spot, _ lookup: Plan.Lookup, _ exception: inout String?
    ) -> Result? {
        func pass(_ outcome: @autoclosure () -> Trace.Outcome) -> Result? {
            trace?.note(position, lookup.name, spot.place.description, outcome())
            return nil
        }
        switch value.kind {
        case .null: return nil
        case .string: break
        case .number: if !value.isInteger { return pass(.unusable("it is a number with a fraction or exponent")) }
        case .brokenString:
            let flaw = "is not whole: it holds half of a surrogate pair, a stray quote or what is not UTF-8"
            trace?.note(position, lookup.name, spot.place.description, .unusable("it \(flaw)"))
            return .unfit(flaw, at: spot.place)
        case .bool, .array, .object: return pass(.unusable("it is neither a string nor an integer"))
        }
        let text = value.text.trimmingBlanks
        if lookup.meaningless.covers(text) { return pass(.meaningless) }
        if let flaw = text.flaw {
            trace?.note(position, lookup.name, spot.place.description, .unusable("it \(flaw)"))
            return .unfit(flaw, at: spot.place)
        }
        if !lookup.exceptions.isEmpty {
            let isAnyThere = lookup.exceptionSeats.contains { evidence.anywhere($0) != nil }
            for index in lookup.exceptions.indices where isAnyThere || lookup.exceptions[index].seats == nil {
                guard holds(lookup.exceptions[index].check, of: text) else { continue }
                let because = lookup.exceptions[index].because
                exception = because
                return pass(.excepted(because))
            }
        }
        trace?.note(position, lookup.name, spot.place.description, .taken)
        return .text(String(decoding: text, as: UTF8.self), at: spot.place)
    }
}

// MARK: - Conditions

extension Look {
    /// - Parameter value: the value in question, for conditions about it.
    func holds(_ check: Plan.Check, of value: UnsafeBufferPointer<UInt8>? = nil) -> Bool {
        switch check {
        case .text(let seat, is: let texts): text(at: seat).map { text in texts.contains { text.equals($0) } } ?? false
        case .prefix(let seat, let texts):
            text(at: seat).map { text in texts.contains { text.begins(with: $0) } } ?? false
        case .isPresent(let seat): isPresent(seat)
        case .isSame(as: let seats):
            seats.contains { seat in
                guard let value, let text = text(at: seat) else { return false }
                return text.elementsEqual(value)
            }
        case .hasForm(let form): value.map(form.fits) ?? false
        case .not(let check): !holds(check, of: value)
        case .all(let checks): checks.allSatisfy { holds($0, of: value) }
        case .any(let checks): checks.contains { holds($0, of: value) }
        }
    }

    func isPresent(_ seat: Plan.Seat) -> Bool { evidence.anywhere(seat).map { $0.kind != .null } ?? false }

    /// A string, a number's digits, or the words true and false: what a condition can be compared with.
    private func text(at seat: Plan.Seat) -> UnsafeBufferPointer<UInt8>? {
        guard let value = evidence.anywhere(seat) else { return nil }
        return switch value.kind {
        case .string, .number, .bool: value.text.trimmingBlanks
        case .null, .brokenString, .array, .object: nil
        }
    }
}

extension Condition.Form {
    func fits(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch self {
        case .email:
            text.dropFirst().dropLast().contains(UInt8(ascii: "@"))
        case .uuidVersion7:
            text.count == 36 && text[14] == UInt8(ascii: "7") && UniqueID(utf8: text) != nil
        case .prefix(let prefix):
            text.starts(with: prefix.utf8)
        case .sha256:
            text.count == 64 && text.allSatisfy { $0.hexDigit != nil }
        case .phone:
            (8...20).contains(text.count) && text.first == UInt8(ascii: "+")
                && text.dropFirst().allSatisfy { $0.isDigit || "-() ".utf8.contains($0) }
        case .numberPair:
            text.allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") } && text.count { $0 == UInt8(ascii: ".") } == 1
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// - Parameter word: in lower case.
    func equals(_ word: [UInt8]) -> Bool { count == word.count && begins(with: word) }

    /// - Parameter word: in lower case.
    func begins(with word: [UInt8]) -> Bool {
        guard count >= word.count else { return false }
        for index in word.indices where self[index].lowercased != word[index] { return false }
        return true
    }

    /// Why a text cannot be an id, as the end of a sentence; nil where it can.
    var flaw: String? {
        if count > Look.mostBytes { return "is longer than \(Look.mostBytes) bytes" }
        return holdsControls ? "holds control characters" : nil
    }
}

extension JSONValue {
    /// A number without fraction and exponent.
    var isInteger: Bool {
        kind == .number && text.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "-") }
    }
}
