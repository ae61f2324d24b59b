import Relay

@testable import SQLiteOutbox

extension Fuzzer {
    /// The columns of the outbox, and patches as they wait in memory. What is written comes back; what is damaged is
    /// said to be.
    static let outbox = Fuzzer(
        name: "Outbox",
        words: [
            "{\"value\":", ",\"at\":", ",\"sequence\":", ",\"confirmed\":", "null", "\\u001f", "-9223372036854775808",
        ]
            + Identifier.allCases.map { "\"\($0.name)\":" },
        seeds: { _ in
            [
                "\0" + #"{"appsflyer_id":{"value":"1-2","at":1791966103117,"sequence":7}}"#,
                "\0" + #"{"branch_id":{"value":null,"at":-1,"sequence":8}}"#,
                "\u{1}" + #"{"appsflyer_id":{"value":"\"\\\u001f","at":1,"sequence":7,"confirmed":5}}"#,
                "\u{2}" + #"{"appsflyer_id":"1-2","branch_id":null}"#, "\u{3}abcdefghijklmnopqrstuvwxyz0123456789",
            ].map { Array($0.utf8) }
        },
        run: { input in
            switch input.byte() % 4 {
            case 0:
                guard let patch = try? MergedPatch(storedJSON: input.text) else { return }
                checkColumns(of: patch)
            case 1:
                guard let applied = try? AppliedPatch(storedJSON: input.text) else { return }
                claim((try? AppliedPatch(storedJSON: text(applied.storedJSON))) == applied, "an applied patch changed")
            case 2:
                guard let identifiers = try? IntegrationIdentifiers(storedJSON: input.text) else { return }
                claim((try? IntegrationIdentifiers(storedJSON: text(identifiers.json))) == identifiers, "ids changed")
            default:
                var packed = PackedPatch()
                var plain = MergedPatch()
                while !input.rest.isEmpty {
                    let identifier = input.choice(of: Identifier.allCases)
                    let length = Int(input.byte())
                    let value = String(decoding: input.bytes(length), as: UTF8.self)
                    let isNull = length == 255
                    // Of long values the length takes two bytes, or three.
                    let long = String(repeating: value, count: length == 254 ? 80 : 1)
                    let field = MergedPatch.Field(
                        identifier: identifier, value: isNull ? .null : .text(long),
                        at: Timestamp(milliseconds: input.integer()), sequence: input.integer())
                    packed.merge(field)
                    plain.merge(field)
                    claim(packed.patch == plain, "packed, a merge is another")
                    claim(packed[identifier] == plain[identifier], "packed, a field is another")
                    if length == 253 {
                        packed.remove { $0.identifier == identifier }
                        plain.remove { $0.identifier == identifier }
                    }
                }
                claim(PackedPatch(plain).patch == plain, "packed, a patch is another")
                claim(packed.isEmpty == plain.isEmpty && packed.identifiers == IdentifierSet(plain), "ids are others")
                checkColumns(of: plain)
            }
        })

    private static func checkColumns(of patch: MergedPatch) {
        claim((try? MergedPatch(storedJSON: text(patch.storedJSON))) == patch, "a patch changed")
        claim(PackedPatch(patch).patch == patch, "packed, a stored patch is another")
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
