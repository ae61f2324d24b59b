/// One field of a request or an answer.
package struct Field: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The fields of a request: one block of bytes as they were sent, and where in it each field stands. Nothing is made
/// per field.
package struct Headers: Sendable {
    /// Where a field stands in `bytes`: its name, and its value without the blanks around it.
    package struct Place: Sendable {
        package let name: Range<Int>
        package let value: Range<Int>

        package init(name: Range<Int>, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    let bytes: [UInt8]
    let places: [Place]

    /// - Parameter places: ranges within `bytes`; one that is not is a programming error and traps.
    package init(bytes: [UInt8], places: [Place]) {
        self.bytes = bytes
        self.places = places
    }

    package init(_ fields: [Field]) {
        var bytes: [UInt8] = []
        var places: [Place] = []
        for field in fields {
            let start = bytes.count
            bytes += field.name.utf8
            let middle = bytes.count
            bytes += field.value.utf8
            places.append(Place(name: start..<middle, value: middle..<bytes.count))
        }
        self.init(bytes: bytes, places: places)
    }

    package var count: Int { places.count }

    /// In lower case, in their order, one for each field.
    var names: [String] { places.map { String(decoding: bytes[$0.name].lazy.map(\.lowercased), as: UTF8.self) } }

    /// The first value of a field; bytes that are not UTF-8 become U+FFFD.
    /// - Parameter name: in lower case.
    package subscript(name: StaticString) -> String? {
        value(of: name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first value of a field, as bytes.
    /// - Parameter name: in lower case.
    package func value(of name: StaticString) -> ArraySlice<UInt8>? {
        name.withUTF8Buffer { wanted in
            places.first { matches($0, wanted) }.map { bytes[$0.value] }
        }
    }

    /// Whether a field is there.
    /// - Parameter name: in lower case.
    package func has(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { wanted in places.contains { matches($0, wanted) } }
    }

    /// All values of a field, in their order.
    /// - Parameter name: in lower case.
    package func values(of name: StaticString) -> [ArraySlice<UInt8>] {
        name.withUTF8Buffer { wanted in places.filter { matches($0, wanted) }.map { bytes[$0.value] } }
    }

    /// How often a field occurs.
    package func occurrences(of name: StaticString) -> Int {
        name.withUTF8Buffer { wanted in places.count { matches($0, wanted) } }
    }

    /// The first value of a field whose name comes from the configuration; letter case does not matter.
    package func value(named name: String) -> ArraySlice<UInt8>? {
        let wanted = Array(name.lowercased().utf8)
        return wanted.withUnsafeBufferPointer { wanted in
            places.first { matches($0, wanted) }.map { bytes[$0.value] }
        }
    }

    /// All values of a field whose name comes from the configuration, in their order.
    package func values(named name: String) -> [ArraySlice<UInt8>] {
        let wanted = Array(name.lowercased().utf8)
        return wanted.withUnsafeBufferPointer { wanted in
            places.filter { matches($0, wanted) }.map { bytes[$0.value] }
        }
    }

    /// A field that may stand there once, such as a credential.
    /// - Parameter name: in lower case.
    package func single(_ name: StaticString) -> Single {
        name.withUTF8Buffer { single($0) }
    }

    /// The same for a name that comes from the configuration; letter case does not matter.
    package func single(named name: String) -> Single {
        let wanted = Array(name.lowercased().utf8)
        return wanted.withUnsafeBufferPointer { single($0) }
    }

    /// Which of two would count is a question that an attacker should not get to ask.
    package enum Single {
        case absent
        case present(ArraySlice<UInt8>)
        case repeated
    }

    private func single(_ wanted: UnsafeBufferPointer<UInt8>) -> Single {
        var found: Place?
        for place in places where matches(place, wanted) {
            guard found == nil else { return .repeated }
            found = place
        }
        return found.map { .present(bytes[$0.value]) } ?? .absent
    }

    private func matches(_ place: Place, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        guard place.name.count == wanted.count else { return false }
        var index = place.name.lowerBound
        for byte in wanted {
            guard bytes[index].lowercased == byte else { return false }
            index += 1
        }
        return true
    }
}

extension ArraySlice<UInt8> {
    /// What follows the prefix; nil where it does not begin so. Letter case does not matter: the names of authorization
    /// schemes have none (RFC 9110 section 11.1). A blank at the prefix's end stands for one or more (section 11.4).
    package func behind(_ prefix: String) -> ArraySlice<UInt8>? {
        guard count >= prefix.utf8.count, zip(self, prefix.utf8).allSatisfy({ $0.lowercased == $1.lowercased }) else {
            return nil
        }
        let rest = dropFirst(prefix.utf8.count)
        return prefix.utf8.last == UInt8(ascii: " ") ? rest.drop { $0 == UInt8(ascii: " ") } : rest
    }
}
