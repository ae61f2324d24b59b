/// Adapty's word against some values of a patch. They are dead letters from then on, and remembered: said again, they
/// cost no request.
package struct FieldRejection: Sendable, Equatable {
    /// Which fields an answer is about.
    package enum Fields: Sendable, Equatable {
        /// The profile reference itself, or something that concerns every value alike.
        case all
        /// `errors[].source` names these.
        case named(IdentifierSet)
        /// It does not say which.
        case unnamed
    }

    package let failure: Failure
    package let fields: Fields
    /// Adapty's answer, for callers that say the same again; nil where there was none, or a very long one.
    package let answer: UpstreamAnswer?

    package init(_ failure: Failure, _ fields: Fields, answer: UpstreamAnswer? = nil) {
        self.failure = failure
        self.fields = fields
        // Its request's id is that of one request.
        self.answer = answer.flatMap { answer in
            guard answer.isWhole, answer.body.count <= Self.maxAnswerBytes else { return nil }
            return UpstreamAnswer(status: answer.status, contentType: answer.contentType, body: answer.body)
        }
    }

    /// An answer is kept with each value that it is about.
    package static let maxAnswerBytes = 4096

    /// Which of the fields that were sent are refused; nil where that is not known: they are to be sent one by one.
    package func refused(of sent: IdentifierSet) -> IdentifierSet? {
        switch fields {
        case .all: sent
        case .named(let named) where !named.isDisjoint(with: sent): named.intersection(sent)
        // One field needs no name.
        case .named, .unnamed: sent.rawValue.nonzeroBitCount == 1 ? sent : nil
        }
    }

    /// What a caller hears that says the same again: Adapty's answer, or one like it.
    package var remembered: UpstreamAnswer {
        answer
            ?? UpstreamAnswer(
                status: failure.status ?? 400,
                body: Refusal(failure.status ?? 400, failure.code, failure.message).json)
    }
}

/// A caller that waits for what becomes of the fields that it brought.
package struct Waiter: Sendable, Equatable {
    package let request: UniqueID
    /// Those that nothing has been heard of yet.
    package let fields: IdentifierSet

    package init(_ request: UniqueID, _ fields: IdentifierSet) {
        self.request = request
        self.fields = fields
    }

    /// Whether an answer to fields that Adapty took is all that it waits for.
    package func isAnswered(byApplying sent: IdentifierSet) -> Bool { sent.isSuperset(of: fields) }

    /// Whether an answer that refuses some of the fields that were sent is about what it brought. Where nobody knows
    /// which are refused, it is if nobody else brought any of them.
    package func isAnswered(byRejecting refused: IdentifierSet?, of sent: IdentifierSet) -> Bool {
        if let refused { !fields.isDisjoint(with: refused) } else { fields.isSuperset(of: sent) }
    }

    /// What it waits for after an answer to other fields.
    package func subtracting(_ sent: IdentifierSet) -> Waiter { Waiter(request, fields.subtracting(sent)) }
}

extension Delivery {
    /// The callers that a rejection is about. The others wait for what becomes of their own fields.
    package func callers(ofRejection rejection: FieldRejection) -> [Waiter] {
        let sent = IdentifierSet(patch)
        let refused = rejection.refused(of: sent)
        return awaiting.filter { $0.isAnswered(byRejecting: refused, of: sent) }
    }
}
