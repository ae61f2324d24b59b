import Relay
import Testing

@testable import SQLiteOutbox

@Suite("What is packed or stored comes back as it was")
struct EncodingTests {
    static let values: [IntegrationIdentifiers.Value] = [
        .null, .text(""), .text("x"), .text("\"quoted\" \\ \n\t\u{0}\u{1f}/é\u{1F600}"),
        .text(String(repeating: "a", count: 126)), .text(String(repeating: "b", count: 127)),
        .text(String(repeating: "c", count: 20_000)),
    ]
    static let times: [Int64] = [.min, -1, 0, 1_791_979_200_000, .max]

    @Test("in one block of bytes", arguments: values)
    func packed(value: IntegrationIdentifiers.Value) {
        for patch in patches(with: value) {
            let packed = PackedPatch(patch)
            #expect(packed.patch == patch)
            #expect(packed.identifiers == IdentifierSet(patch))
            for field in patch.fields { #expect(packed[field.identifier] == field) }
            #expect(packed[.tenjinAnalyticsInstallationID] == nil)
        }
    }

    @Test("in the column `waiting`", arguments: values)
    func waiting(value: IntegrationIdentifiers.Value) throws {
        for patch in patches(with: value) {
            #expect(try MergedPatch(storedJSON: String(decoding: patch.storedJSON, as: UTF8.self)) == patch)
        }
    }

    @Test("in the column `applied`", arguments: values)
    func applied(value: IntegrationIdentifiers.Value) throws {
        var applied = AppliedPatch()
        applied[.branchID] = .init(
            field: .init(identifier: .branchID, value: value, at: noon, sequence: 7), confirmed: noon + .seconds(1))
        #expect(try AppliedPatch(storedJSON: String(decoding: applied.storedJSON, as: UTF8.self)) == applied)
    }

    @Test("in the log's column `identifiers`", arguments: values)
    func identifiers(value: IntegrationIdentifiers.Value) throws {
        var identifiers = IntegrationIdentifiers([.appsflyerID: "1"])
        identifiers[.branchID] = value
        let json = String(decoding: identifiers.json, as: UTF8.self)
        #expect(try IntegrationIdentifiers(storedJSON: json) == identifiers)
    }

    @Test("packed or not, a merge is the same", arguments: 1...20 as ClosedRange<UInt64>)
    func packedMerge(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var packed = PackedPatch()
        var plain = MergedPatch()
        for sequence in 1...60 as ClosedRange<Int64> {
            let identifier = Identifier.allCases[Int.random(in: 0..<16, using: &generator)]
            let field = MergedPatch.Field(
                identifier: identifier, value: Self.values[Int.random(in: 0..<5, using: &generator)],
                at: Timestamp(milliseconds: .random(in: 0...3, using: &generator)), sequence: sequence)
            packed.merge(field)
            plain.merge(field)
            if Bool.random(using: &generator) {
                packed.remove { $0.identifier == identifier }
                plain.remove { $0.identifier == identifier }
            }
            #expect(packed.patch == plain)
        }
    }

    @Test(
        "what is not ours is refused",
        arguments: [
            "", "{", "[]", "{}x", #"{"branch_id"}"#, #"{"branch_id":1}"#, #"{"branch_id":{"value":"x"}}"#,
            #"{"branch_id":{"value":"x","at":1,"sequence":1,"odd":1}}"#, #"{"branch_id":{"at":9e9}}"#,
            #"{"branch_id":"\"#, #"{"branch_id":"\u1234"}"#, String(repeating: #"{"a":"#, count: 100_000),
        ])
    func refused(json: String) {
        #expect(throws: StoredJSON.Malformed.self) { try MergedPatch(storedJSON: json) }
    }

    @Test("a field that only a newer Patchbay knows is passed over")
    func unknownField() throws {
        let json = #"{"new_id":{"value":"x","at":1,"sequence":1}}"#
        #expect(try MergedPatch(storedJSON: json).isEmpty)
    }

    private func patches(with value: IntegrationIdentifiers.Value) -> [MergedPatch] {
        Self.times.map { time in
            MergedPatch([
                .init(
                    identifier: .adjustDeviceID, value: value, at: Timestamp(milliseconds: time), sequence: .max),
                .init(identifier: .branchID, value: .text("b"), at: noon, sequence: 1),
            ])
        }
    }
}
