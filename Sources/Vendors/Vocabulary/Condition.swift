/// What must be so in an event for a rule to apply.
package indirect enum Condition: Sendable {
    /// A place holds one of these texts. ASCII letter case does not matter.
    case text(Place, is: [String])
    /// A place holds a text that begins with one of these. ASCII letter case does not matter.
    case prefix(Place, [String])
    /// A place holds something other than null.
    case isPresent(Place)
    /// The value in question is the same as what stands at one of these places.
    case isSame(as: [Place])
    /// The value in question has this form.
    case hasForm(Form)
    case not(Condition)
    case all([Condition])
    case any([Condition])

    /// Forms of text that tell what kind of id it is.
    package enum Form: Sendable {
        /// Something with an `@` within.
        case email
        /// `+` and the digits of a phone number.
        case phone
        /// A version 7 UUID, which a client library makes for somebody it does not know.
        case uuidVersion7
        /// It begins so.
        case prefix(String)
        /// 64 hexadecimal digits: a SHA-256 digest of an id, not the id.
        case sha256
        /// Two numbers with a point between: a web client of Google Analytics.
        case numberPair
    }
}
