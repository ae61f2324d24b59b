import EventLoop
import Relay

/// What one proxy wrote into `Forwarded` (RFC 7239 section 4): who called it.
enum ForwardedElement: Equatable {
    case address(IPAddress)
    /// `unknown`, an obfuscated identifier such as `_gazonk` (section 6.3), or no `for` at all.
    case concealed
    case malformed

    /// The elements of a field's value, the last first, empty ones left out (RFC 9110 section 5.6.1.2).
    ///
    /// A comma within quotes does not end an element. Quotes are paired from the right end, which our own proxy wrote:
    /// one that a caller left open in what stands before cannot swallow it.
    static func split(_ value: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var elements: [ArraySlice<UInt8>] = []
        var end = value.endIndex
        var isQuoted = false
        for index in value.indices.reversed() {
            switch value[index] {
            case .quote where !isEscaped(index, in: value): isQuoted.toggle()
            case .comma where !isQuoted:
                elements.append(value[index + 1..<end])
                end = index
            default: break
            }
        }
        elements.append(value[..<end])
        return elements.map(\.trimmingFieldBlanks).filter { !$0.isEmpty }
    }

    private static func isEscaped(_ index: Int, in value: ArraySlice<UInt8>) -> Bool {
        value[..<index].reversed().prefix { $0 == .backslash }.count % 2 == 1
    }

    /// Reads `name=value;name=value`: tokens or quoted strings, no blanks, no name twice.
    init(_ element: ArraySlice<UInt8>) {
        var rest = element
        var names: Set<String> = []
        var node: [UInt8]?
        while true {
            // A pair may be missing, its semicolon not.
            if let first = rest.first, first != .semicolon {
                let token = rest.prefix { ByteClass.token.contains($0) }
                let name = String(decoding: token, as: UTF8.self).lowercased()
                rest = rest[token.endIndex...]
                guard !token.isEmpty, rest.popFirst() == .equals, let value = Self.value(&rest),
                    names.insert(name).inserted
                else {
                    self = .malformed
                    return
                }
                if name == "for" { node = value }
            }
            guard let separator = rest.popFirst() else { break }
            guard separator == .semicolon else {
                self = .malformed
                return
            }
        }
        self = node.map { Self.node($0) } ?? .concealed
    }

    private static func value(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.first == .quote else {
            let token = rest.prefix { ByteClass.token.contains($0) }
            rest = rest[token.endIndex...]
            return token.isEmpty ? nil : Array(token)
        }
        rest.removeFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case .quote: return text
            case .backslash:
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            default: text.append(byte)
            }
        }
        return nil
    }

    /// `node` of section 6: a name and perhaps a port, the latter of no interest but for its form.
    private static func node(_ bytes: [UInt8]) -> ForwardedElement {
        let text = String(decoding: bytes, as: UTF8.self)
        let name: Substring
        let port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return .malformed }
            name = text[...end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return .malformed }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            name = parts[0]
            port = parts.count == 2 ? parts[1] : nil
        }
        if let port, !isObfuscated(port), !((1...5).contains(port.utf8.count) && port.utf8.allSatisfy(\.isDigit)) {
            return .malformed
        }
        if name == "unknown" || isObfuscated(name) { return .concealed }
        if name.hasPrefix("[") {
            let inner = name.dropFirst().dropLast()
            return inner.contains(":") ? IPAddress(inner).map { .address($0) } ?? .malformed : .malformed
        }
        return IPAddress(name).map { .address($0) } ?? .malformed
    }

    private static func isObfuscated(_ text: Substring) -> Bool {
        text.hasPrefix("_") && text.utf8.count > 1
            && text.utf8.dropFirst().allSatisfy { $0.isLetterOrDigit || "._-".utf8.contains($0) }
    }
}

extension UInt8 {
    fileprivate static var quote: UInt8 { UInt8(ascii: "\"") }
    fileprivate static var comma: UInt8 { UInt8(ascii: ",") }
    fileprivate static var semicolon: UInt8 { UInt8(ascii: ";") }
    fileprivate static var equals: UInt8 { UInt8(ascii: "=") }
    fileprivate static var backslash: UInt8 { UInt8(ascii: "\\") }
}

extension ArraySlice<UInt8> {
    var trimmingFieldBlanks: ArraySlice<UInt8> {
        guard let first = firstIndex(where: { !$0.isFieldBlank }),
            let last = lastIndex(where: { !$0.isFieldBlank })
        else { return [] }
        return self[first...last]
    }
}
