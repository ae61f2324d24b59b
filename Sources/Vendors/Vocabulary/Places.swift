/// Where one thing can stand in an event: several places, first hit wins, and what is no hit.
package struct Places: Sendable {
    package var inOrder: [Place]
    package var meaningless: Meaningless
    package var exceptions: [Exception]

    package init(_ places: [Place], meaningless: Meaningless = .usual, exceptions: [Exception] = []) {
        self.inOrder = places
        self.meaningless = meaningless
        self.exceptions = exceptions
    }

    package init(_ places: Place..., meaningless: Meaningless = .usual) {
        self.init(places, meaningless: meaningless)
    }

    /// The same, but absent where the condition holds.
    package func unless(_ condition: Condition, because reason: String) -> Places {
        var places = self
        places.exceptions.append(Exception(condition: condition, because: reason))
        return places
    }

    /// When a value that is there must not be used, and why: the reason is what people read in skips and explanations.
    package struct Exception: Sendable {
        package let condition: Condition
        package let because: String
    }
}

extension Places: ExpressibleByArrayLiteral {
    package init(arrayLiteral places: Place...) {
        self.init(places)
    }
}
