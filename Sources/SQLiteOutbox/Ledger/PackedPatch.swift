import Relay

/// A merged patch in one block of bytes. What a million profiles wait with is one allocation each instead of one for
/// the fields and one for every value.
///
/// For each field: the identifier, its time and sequence as eight bytes each, the length of the value plus one
/// (LEB128; 0 says null), and the value's UTF-8.
struct PackedPatch: Equatable {
    private var bytes: [UInt8] = []

    init() {}

    init(_ patch: MergedPatch) {
        bytes.reserveCapacity(patch.fields.reduce(0) { $0 + Self.size(of: $1) })
        for field in patch.fields { append(field) }
    }

    var isEmpty: Bool { bytes.isEmpty }
    var size: Int { bytes.count }

    var patch: MergedPatch {
        var patch = MergedPatch()
        forEach { patch.merge($0) }
        return patch
    }

    var identifiers: IdentifierSet {
        var identifiers: IdentifierSet = []
        var position = 0
        while let header = Header(bytes, at: position) {
            identifiers.formUnion(IdentifierSet(header.identifier))
            position = header.end
        }
        return identifiers
    }

    subscript(identifier: Identifier) -> MergedPatch.Field? {
        var position = 0
        while let header = Header(bytes, at: position) {
            if header.identifier == identifier { return header.field(in: bytes) }
            position = header.end
        }
        return nil
    }

    mutating func merge(_ field: MergedPatch.Field) {
        if identifiers.contains(IdentifierSet(field.identifier)) {
            var patch = patch
            patch.merge(field)
            self = PackedPatch(patch)
        } else {
            bytes.reserveCapacity(bytes.count + Self.size(of: field))
            append(field)
        }
    }

    mutating func remove(where isGone: (MergedPatch.Field) -> Bool) {
        var patch = patch
        patch.remove(where: isGone)
        self = PackedPatch(patch)
    }

    private func forEach(_ body: (MergedPatch.Field) -> Void) {
        var position = 0
        while let header = Header(bytes, at: position) {
            body(header.field(in: bytes))
            position = header.end
        }
    }

    private struct Header {
        let identifier: Identifier
        let at: Timestamp
        let sequence: Int64
        /// Nil for null.
        let value: Range<Int>?
        let end: Int

        /// Nil at the end of the bytes.
        init?(_ bytes: [UInt8], at start: Int) {
            guard start < bytes.count, let identifier = Identifier(rawValue: bytes[start]) else { return nil }
            self.identifier = identifier
            (at, sequence) = bytes.withUnsafeBytes { bytes in
                (
                    Timestamp(milliseconds: bytes.loadUnaligned(fromByteOffset: start + 1, as: Int64.self)),
                    bytes.loadUnaligned(fromByteOffset: start + 9, as: Int64.self)
                )
            }
            var (position, shift, length) = (start + 17, 0, 0)
            while true {
                length |= Int(bytes[position] & 0x7f) << shift
                shift += 7
                position += 1
                if bytes[position - 1] < 0x80 { break }
            }
            value = length == 0 ? nil : position..<position + length - 1
            end = value?.upperBound ?? position
        }

        func field(in bytes: [UInt8]) -> MergedPatch.Field {
            MergedPatch.Field(
                identifier: identifier,
                value: value.map { .text(String(decoding: bytes[$0], as: UTF8.self)) } ?? .null, at: at,
                sequence: sequence)
        }
    }

    static func size(of field: MergedPatch.Field) -> Int {
        guard case .text(let text) = field.value else { return 18 }
        let lengthBits = Int.bitWidth - (text.utf8.count + 1).leadingZeroBitCount
        return 17 + (lengthBits + 6) / 7 + text.utf8.count
    }

    private mutating func append(_ field: MergedPatch.Field) {
        bytes.append(field.identifier.rawValue)
        withUnsafeBytes(of: field.at.milliseconds) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: field.sequence) { bytes.append(contentsOf: $0) }
        guard case .text(let text) = field.value else { return bytes.append(0) }
        var length = text.utf8.count + 1
        while length >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(length))
        bytes.append(contentsOf: text.utf8)
    }
}
