import Relay

/// Texts that stand where an id should and say that there is none. Compared without the blanks and quotes around,
/// whatever the case.
package struct Meaningless: Sendable, Equatable {
    /// In lower case.
    private var words: [[UInt8]]
    /// Which lengths they have, a bit each: most ids are told apart from all of them by this alone.
    private var lengths: UInt64

    package init(_ words: [String]) {
        self.init(bytes: words.map { Array($0.lowercased().utf8) })
    }

    private init(bytes words: [[UInt8]]) {
        self.words = words
        lengths = words.reduce(0) { $0 | Self.bit(of: $1.count) }
    }

    /// These as well.
    package func and(_ more: [String]) -> Meaningless {
        Meaningless(bytes: words + Meaningless(more).words)
    }

    /// All but these: a customer whose user ids really are so.
    package func except(_ legal: [String]) -> Meaningless {
        let legal = Meaningless(legal).words
        return Meaningless(bytes: words.filter { !legal.contains($0) })
    }

    private static func bit(of length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

    /// Nothing but macros and emptiness.
    package static let nothing = Meaningless([])

    /// What languages, SDKs and templates print where they have no value. "0" and "-1" are in it for user ids too: a
    /// default number is far likelier than a user of that name, and one such user would collect the ids of thousands of
    /// devices.
    package static let usual = Meaningless([
        "null", "nil", "none", "n/a", "na", "undefined", "unknown", "anonymous", "nan", "[object object]", "0", "-1",
        "{}",
        "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000", "(null)", "<null>", "not set",
        "(not set)",
    ])

    /// Whether a text says nothing: empty, one of the words, or a macro that nobody expanded. Blanks around are off
    /// already.
    func covers(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = text.first, let last = text.last else { return true }
        if containsWord(text) { return true }
        if text.count >= 2, first == last, first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
            let bare = UnsafeBufferPointer(rebasing: text.dropFirst().dropLast()).trimmingBlanks
            if bare.isEmpty || containsWord(bare) { return true }
        }
        return Macro.isUnexpanded(text)
    }

    private func containsWord(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        lengths & Self.bit(of: text.count) != 0 && words.contains { text.equals($0) }
    }
}

/// Placeholders that reached us as they were written, because a template named something its vendor does not know:
/// `{adid}` (Adjust, AppMetrica), `{{id}}` (Tenjin, Liquid), `{@a.b}` (Airbridge), `${id}` (FreeMarker), `[user_id]`,
/// `__ID__`, `%ID%`, `<id>`.
enum Macro {
    static func isUnexpanded(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = text.first, let last = text.last, text.count >= 2 else { return false }
        switch (first, last) {
        case (UInt8(ascii: "{"), UInt8(ascii: "}")), (UInt8(ascii: "["), UInt8(ascii: "]")),
            (UInt8(ascii: "<"), UInt8(ascii: ">")), (UInt8(ascii: "%"), UInt8(ascii: "%")):
            return true
        case (UInt8(ascii: "_"), UInt8(ascii: "_")):
            return text.count >= 5 && text[1] == first && text[text.count - 2] == first
        default:
            break
        }
        // Nearly no id has one of these marks.
        guard text.holdsAny(below: 0, or: UInt8(ascii: "{"), UInt8(ascii: "%")) else { return false }
        for index in 0..<(text.count - 1) {
            switch text[index] {
            case UInt8(ascii: "{"):
                if text[index + 1] == UInt8(ascii: "{") || text[index + 1] == UInt8(ascii: "%") { return true }
            case UInt8(ascii: "$"), UInt8(ascii: "#"):
                if text[index + 1] == UInt8(ascii: "{") { return true }
            case UInt8(ascii: "%"):
                if isEncodedMark(text, at: index) { return isUnexpandedOnceDecoded(text) }
            default:
                continue
            }
        }
        return false
    }

    /// `%7B`, `%5B`, `%3C`, `%25`: a mark that was encoded once more than we decode.
    private static func isEncodedMark(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        guard index + 2 < text.count else { return false }
        switch (text[index + 1], text[index + 2].lowercased) {
        case (UInt8(ascii: "7"), UInt8(ascii: "b")), (UInt8(ascii: "5"), UInt8(ascii: "b")),
            (UInt8(ascii: "3"), UInt8(ascii: "c")), (UInt8(ascii: "2"), UInt8(ascii: "5")):
            return true
        default:
            return false
        }
    }

    private static func isUnexpandedOnceDecoded(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var decoded: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count, let high = text[index + 1].hexDigit,
                let low = text[index + 2].hexDigit
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(text[index])
                index += 1
            }
        }
        // Each round is shorter, so this ends.
        return decoded.withUnsafeBufferPointer { isUnexpanded($0) }
    }
}
