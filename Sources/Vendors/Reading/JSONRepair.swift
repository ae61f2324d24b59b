import Relay

/// The second reading of JSON that the first one refused: writes it down again as JSON that can be read, so that one
/// bad byte costs the value it is in, not the ids beside it.
///
/// Templates that interpolate without escaping make such bodies: OneSignal's own documented one does of every quote and
/// line break in a message. Mended are raw control characters, stray quotes, bytes that are not UTF-8 and escapes that
/// do not exist within strings; values that are missing (null), commas too many, and words such as `NaN` (null).
///
/// What a string was meant to say is never guessed: one with anything but control characters mended is marked as
/// broken, which no id may be. Where a stray quote may have made two members of one, or one of two, nothing is mended:
/// what stands there like a member's name, or is a member's name again, could be part of a text.
///
/// One pass, and the output is at most a few times as long as the input.
struct JSONRepair {
    private enum Step {
        /// A member's name or the end of the object.
        case name
        /// An element or the end of the array.
        case element
        case value
        case behindValue
        case end
    }

    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0
    /// A bracket that is not closed yet.
    private struct Container {
        let bracket: UInt8
        var isEmpty = true
        var names: Set<[UInt8]> = []
        var repeatsName = false
        var hasStrayQuote = false

        var isAmbiguous: Bool { repeatsName && hasStrayQuote }
    }

    private var open: [Container] = []
    private var output: [UInt8] = []

    private init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        output.reserveCapacity(text.count + 64)
    }

    /// Nil where it is no object or array, or ends before that does, or is another kind of damage.
    static func repair(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let text = text.payload
        guard let first = text.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        var repair = JSONRepair(text)
        var step: Step? = .value
        while let next = step {
            guard next != .end else { return repair.isAtEnd ? repair.output : nil }
            step = repair.take(next)
        }
        return nil
    }

    /// Nil where there is no going on.
    private mutating func take(_ step: Step) -> Step? {
        skipBlanks()
        if step == .name || step == .element { skipCommas() }
        guard index < text.count else { return nil }
        switch step {
        case .name: return text[index] == UInt8(ascii: "}") ? close() : takeName()
        case .element: return text[index] == UInt8(ascii: "]") ? close() : takeElement()
        case .value: return takeValue()
        case .behindValue:
            guard text[index] == UInt8(ascii: ",") else { return close() }
            index += 1
            return isInObject ? .name : .element
        case .end: return nil
        }
    }

    private mutating func takeName() -> Step? {
        guard text[index] == UInt8(ascii: "\"") else { return nil }
        separate()
        let start = output.count
        guard takeString(isName: true), let last = open.indices.last else { return nil }
        if !open[last].names.insert(Array(output[start...])).inserted { open[last].repeatsName = true }
        skipBlanks()
        guard index < text.count, text[index] == UInt8(ascii: ":") else { return nil }
        index += 1
        output.append(UInt8(ascii: ":"))
        return .value
    }

    private mutating func takeElement() -> Step? {
        separate()
        return takeValue()
    }

    private mutating func takeValue() -> Step? {
        switch text[index] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.count < 128 else { return nil }
            open.append(Container(bracket: text[index]))
            output.append(text[index])
            index += 1
            return isInObject ? .name : .element
        case UInt8(ascii: "\""):
            return takeString(isName: false) ? .behindValue : nil
        case UInt8(ascii: ","), UInt8(ascii: "}"):
            // Nothing stands behind the colon.
            guard isInObject else { return nil }
            output += "null".utf8
            return .behindValue
        default:
            return takeWord() ? .behindValue : nil
        }
    }

    private mutating func close() -> Step? {
        guard let last = open.last, text[index] == Self.closing(last.bracket), !last.isAmbiguous else { return nil }
        output.append(text[index])
        index += 1
        open.removeLast()
        // What is around may have been torn apart by the same quote.
        if last.hasStrayQuote, let around = open.indices.last { open[around].hasStrayQuote = true }
        return open.isEmpty ? .end : .behindValue
    }

    // MARK: - Strings

    /// Appends the string that begins here, as JSON.
    private mutating func takeString(isName: Bool) -> Bool {
        var isBroken = false
        output.append(UInt8(ascii: "\""))
        index += 1
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\"") where closes(isName: isName):
                index += 1
                // Half of a surrogate pair: the parser's mark of a string that is fit to read and no id.
                output += isBroken ? Array(#"\ud800""#.utf8) : [UInt8(ascii: "\"")]
                return true
            case UInt8(ascii: "\""):
                let next = behindBlanks(index + 1)
                guard let last = open.indices.last, next == text.count || text[next] != UInt8(ascii: ":") else {
                    return false
                }
                open[last].hasStrayQuote = true
                output += [UInt8(ascii: "\\"), byte]
                isBroken = true
                index += 1
            case UInt8(ascii: "\\"):
                let length = escapeLength
                isBroken = isBroken || length == 0
                output += length == 0 ? [byte, byte] : Array(text[index..<index + length])
                index += max(length, 1)
            case 0x20..<0x80:
                output.append(byte)
                index += 1
            case ..<0x20:
                appendControl(byte)
                index += 1
            default:
                let length = scalarLength
                isBroken = isBroken || length == 0
                output += length == 0 ? [0xef, 0xbf, 0xbd] : Array(text[index..<index + length])
                index += max(length, 1)
            }
        }
        return false
    }

    private mutating func appendControl(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\n"): output += #"\n"#.utf8
        case UInt8(ascii: "\r"): output += #"\r"#.utf8
        case UInt8(ascii: "\t"): output += #"\t"#.utf8
        default: output += [UInt8](byte < 0x10 ? #"\u000"#.utf8 : #"\u001"#.utf8) + [Self.hexDigits[Int(byte & 0xf)]]
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Of the escape that begins here; 0 where there is no such escape.
    private var escapeLength: Int {
        guard index + 1 < text.count else { return 0 }
        switch text[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"):
            return index + 6 <= text.count && text[(index + 2)..<(index + 6)].allSatisfy { $0.hexDigit != nil } ? 6 : 0
        default:
            return 0
        }
    }

    /// Of the UTF-8 of the character that begins here; 0 where it is none.
    private var scalarLength: Int {
        let length = text[index] >= 0xf0 ? 4 : text[index] >= 0xe0 ? 3 : 2
        guard index + length <= text.count else { return 0 }
        return String(validating: text[index..<index + length], as: UTF8.self) == nil ? 0 : length
    }

    /// Whether the quote here is the string's end, by what follows it: behind a name a colon; behind a value an end of
    /// the whole that fits, or a comma and what can stand behind that.
    ///
    /// Looks no further than the second quote from here, so all the looking of one text is linear in it.
    private func closes(isName: Bool) -> Bool {
        let next = behindBlanks(index + 1)
        guard next < text.count, let bracket = open.last?.bracket else { return false }
        guard !isName else { return text[next] == UInt8(ascii: ":") }
        guard text[next] == UInt8(ascii: ",") else { return endsContainer(at: next) }
        var place = next
        while place < text.count, text[place] == UInt8(ascii: ",") { place = behindBlanks(place + 1) }
        guard place < text.count else { return false }
        if endsContainer(at: place) { return true }
        guard bracket == UInt8(ascii: "{") else { return true }
        return text[place] == UInt8(ascii: "\"") && beginsName(at: place)
    }

    /// Whether the bracket at a place closes the innermost one, and what is around goes on or ends behind it.
    private func endsContainer(at place: Int) -> Bool {
        guard let last = open.last, text[place] == Self.closing(last.bracket) else { return false }
        let next = behindBlanks(place + 1)
        guard open.count > 1 else { return next == text.count }
        guard next < text.count else { return false }
        return text[next] == UInt8(ascii: ",") || text[next] == Self.closing(open[open.count - 2].bracket)
    }

    private func beginsName(at quote: Int) -> Bool {
        var place = quote + 1
        while place < text.count, text[place] != UInt8(ascii: "\"") {
            place += text[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        let next = behindBlanks(place + 1)
        return next < text.count && text[next] == UInt8(ascii: ":")
    }

    // MARK: - Words

    /// Appends what stands here without quotes, up to the comma or bracket that ends it: a number or literal as it is,
    /// a word that says nothing as null, and what else it may be as a broken string.
    private mutating func takeWord() -> Bool {
        let start = index
        while index < text.count, text[index] != UInt8(ascii: ","), text[index] != UInt8(ascii: "}"),
            text[index] != UInt8(ascii: "]")
        {
            switch text[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): return false
            default: index += 1
            }
        }
        let word = UnsafeBufferPointer(rebasing: text[start..<index]).trimmingBlanks
        guard index < text.count, !word.isEmpty else { return false }
        if word.isJSONNumber || Self.literals.contains(where: { word.elementsEqual($0) }) {
            output += word
        } else if Self.nothings.contains(where: { word.equals($0) }) {
            output += "null".utf8
        } else {
            output.append(UInt8(ascii: "\""))
            output += word.filter { (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\\") }
            output += #"\ud800""#.utf8
        }
        return true
    }

    private static let literals = ["true", "false", "null"].map { Array($0.utf8) }
    /// What languages print where they have no value.
    private static let nothings =
        ["nan", "-nan", "infinity", "-infinity", "inf", "-inf", "undefined", "none", "nil"]
        .map { Array($0.utf8) } + [Array("null".utf8)]

    // MARK: - Between values

    private var isInObject: Bool { open.last?.bracket == UInt8(ascii: "{") }
    private var isAtEnd: Bool { behindBlanks(index) == text.count }

    private static func closing(_ bracket: UInt8) -> UInt8 { bracket + 2 }

    /// A comma before all members and elements but the first.
    private mutating func separate() {
        guard let last = open.indices.last else { return }
        if !open[last].isEmpty { output.append(UInt8(ascii: ",")) }
        open[last].isEmpty = false
    }

    private mutating func skipBlanks() { index = behindBlanks(index) }

    private mutating func skipCommas() {
        while index < text.count, text[index] == UInt8(ascii: ",") { index = behindBlanks(index + 1) }
    }

    /// Control characters between values, padding with zeros behind the end among them, mean nothing.
    private func behindBlanks(_ start: Int) -> Int {
        var place = start
        while place < text.count, text[place] <= UInt8(ascii: " ") { place += 1 }
        return min(place, text.count)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// RFC 8259 section 6.
    fileprivate var isJSONNumber: Bool {
        var rest = self[...]
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        func digits() -> Int {
            let count = rest.prefix { $0.isDigit }.count
            rest = rest.dropFirst(count)
            return count
        }
        let isZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole == 1 || (whole > 1 && !isZero) else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first?.lowercased == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    /// Without byte order marks and blanks before it.
    var payload: UnsafeBufferPointer<UInt8> {
        var start = 0
        while start < count {
            if self[start].isBlank {
                start += 1
            } else if start + 3 <= count, self[start] == 0xef, self[start + 1] == 0xbb, self[start + 2] == 0xbf {
                start += 3
            } else {
                break
            }
        }
        return UnsafeBufferPointer(rebasing: self[start...])
    }
}
