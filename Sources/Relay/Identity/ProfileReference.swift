/// Whom a patch is for. Either form can stand in a header as it is: what could not is no profile reference.
package enum ProfileReference: Sendable, Hashable {
    /// Adapty's own id of the profile.
    case profileID(UniqueID)
    /// The customer's id of the user: any string without control characters.
    case customerUserID(CustomerUserID)

    /// The name of the one header that carries it.
    package var header: String {
        switch self {
        case .profileID: "adapty-profile-id"
        case .customerUserID: "adapty-customer-user-id"
        }
    }

    /// The same name with `_`: the key in payloads, on the command line and in the outbox.
    package var key: String {
        switch self {
        case .profileID: "profile_id"
        case .customerUserID: "customer_user_id"
        }
    }

    /// A profile id is written in lower case; a customer user id as it came.
    package var value: String {
        switch self {
        case .profileID(let id): id.description
        case .customerUserID(let id): id.text
        }
    }

    package static func profileID(_ text: some StringProtocol) -> ProfileReference? {
        UniqueID(text).map { .profileID($0) }
    }

    package static func customerUserID(_ text: some StringProtocol) -> ProfileReference? {
        CustomerUserID(text).map { .customerUserID($0) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether a text holds control characters: C0 and DEL are one byte each in UTF-8, C1 (U+0080 to U+009F) are two,
    /// C2 80 to C2 9F.
    package var holdsControls: Bool {
        // Ids are ASCII, nearly all of them, and nearly none needs a second look.
        guard holdsAny(below: 0x20, or: 0x7f, 0xc2) else { return false }
        var previous: UInt8 = 0
        for byte in self {
            if byte.isControl || (previous == 0xc2 && byte < 0xa0) { return true }
            previous = byte
        }
        return false
    }
}

/// A customer user id that can ride in a header.
package struct CustomerUserID: Sendable, Hashable {
    /// Longer ones are refused: nobody's id, and headers are bounded everywhere on the way.
    package static let mostBytes = 1024

    package let text: String

    /// Trims blanks. Nil for nothing, for more than `mostBytes`, and for control characters: libcurl writes CR and LF
    /// into a header as they are.
    package init?(_ text: some StringProtocol) {
        self.init(String(text))
    }

    package init?(_ text: String) {
        var text = text
        let isFit = text.withBytes { bytes in
            guard let first = bytes.first, let last = bytes.last else { return false }
            return bytes.count <= Self.mostBytes && !first.isBlank && !last.isBlank && !bytes.holdsControls
        }
        if !isFit {
            // Seldom: there is something to trim, or it is of no use.
            text = String(text.trimmingBlanks)
            guard (1...Self.mostBytes).contains(text.utf8.count), !text.withUTF8({ $0.holdsControls }) else {
                return nil
            }
        }
        self.text = text
    }

    /// Hashing stays that of the text: same bytes, same hash.
    package static func == (left: Self, right: Self) -> Bool { left.text.isSameBytes(as: right.text) }
}
