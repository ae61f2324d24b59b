import Relay
import Testing

@Suite("Ids and times")
struct IdentityTests {
    @Test("a UUID is read in either case and written in lower case")
    func readsUUIDs() {
        let id = UniqueID("5F2C1E0A-7d43-4B8E-9a61-0c3d9e7f4b12")
        #expect(id?.description == "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12")
    }

    @Test(
        "what is not a UUID is none",
        arguments: [
            "", "5f2c1e0a", "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b1", "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b123",
            "5f2c1e0a7d434b8e9a610c3d9e7f4b12", "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4bzz",
            "5f2c1e0a-7d43-4b8e-9a61_0c3d9e7f4b12", "{5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12}",
            " 5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12", "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b1\u{e9}",
        ])
    func refusesOthers(text: String) {
        #expect(UniqueID(text) == nil)
    }

    @Test("version 7 ids carry their time, their version and their variant, and sort by time")
    func versionSeven() {
        let early = UniqueID.v7(at: Timestamp(milliseconds: 1_790_000_000_000))
        let late = UniqueID.v7(at: Timestamp(milliseconds: 1_790_000_000_001))
        #expect(early < late)
        #expect(early.high >> 16 == 1_790_000_000_000)
        let text = Array(early.description)
        #expect(text[14] == "7")
        #expect("89ab".contains(text[19]))
        #expect(UniqueID(early.description) == early)
    }

    @Test(
        "times are written as RFC 3339 and known by their parts",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"), (1_791_966_103_117, "2026-10-14T08:21:43.117Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
        ])
    func writesTimes(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
        let read = Timestamp(
            year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4],
            second: numbers[5], millisecond: numbers[6])
        #expect(read?.milliseconds == milliseconds)
    }

    @Test("days that are in no calendar are no time")
    func refusesDays() {
        #expect(Timestamp(year: 2026, month: 2, day: 29) == nil)
        #expect(Timestamp(year: 2100, month: 2, day: 29) == nil)
        #expect(Timestamp(year: 2000, month: 2, day: 29) != nil)
        #expect(Timestamp(year: 2026, month: 13, day: 1) == nil)
        #expect(Timestamp(year: 2026, month: 4, day: 31) == nil)
        #expect(Timestamp(year: 2026, month: 4, day: 0) == nil)
        #expect(Timestamp(year: 2026, month: 4, day: 1, hour: 24) == nil)
    }

    @Test("arithmetic with absurd times saturates")
    func saturates() {
        #expect(Timestamp(milliseconds: .max) + .seconds(1) == Timestamp(milliseconds: .max))
        #expect(Timestamp(milliseconds: .min) + .seconds(-1) == Timestamp(milliseconds: .min))
        #expect(Timestamp(milliseconds: .max) - Timestamp(milliseconds: .min) > .seconds(1))
    }
}

@Suite("Profile references")
struct ProfileReferenceTests {
    @Test("a customer user id is taken as it is, without the blanks around it")
    func takesIDs() {
        #expect(ProfileReference.customerUserID("  usr_1 \n")?.value == "usr_1")
        #expect(ProfileReference.customerUserID("жанна@пример.рф")?.value == "жанна@пример.рф")
        #expect(ProfileReference.customerUserID("a b")?.value == "a b")
    }

    @Test(
        "what could not stand in a header is no customer user id",
        arguments: [
            "", "   ", "a\r\nX-Evil: 1", "a\nb", "a\rb", "a\u{0}b", "a\u{7f}b", "a\tb", "a\u{85}b",
            String(repeating: "x", count: 1025),
        ])
    func refusesIDs(text: String) {
        #expect(ProfileReference.customerUserID(text) == nil)
    }

    @Test("a profile id is a UUID and nothing else")
    func profileIDs() {
        #expect(ProfileReference.profileID("not-a-uuid") == nil)
        let reference = ProfileReference.profileID("5F2C1E0A-7D43-4B8E-9A61-0C3D9E7F4B12")
        #expect(reference?.value == "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12")
        #expect(reference?.header == "adapty-profile-id")
    }
}

@Suite("Secrets")
struct SecretTests {
    @Test("a secret cannot be printed, described, dumped or reflected")
    func cannotBePrinted() {
        let secret = Secret("canary-8f3c9a")
        struct Holder { let key: Secret }
        var dumped = ""
        dump(Holder(key: secret), to: &dumped)
        let seen = [
            "\(secret)", String(reflecting: secret), String(describing: [secret]), "\(Holder(key: secret))", dumped,
        ]
        for text in seen { #expect(!text.contains("canary")) }
        #expect(secret.description == "<secret>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(Mirror(reflecting: secret).descendant("bytes") == nil)
        #expect(String(describing: Optional(secret)) == "Optional(<secret>)")
    }

    @Test("a secret has no coding and no literal: nothing writes it by itself")
    func cannotBeCoded() {
        let secret: Any = Secret("canary-8f3c9a")
        #expect(!(secret is any Encodable))
        #expect(!(secret is any LosslessStringConvertible))
        #expect(!(secret is any TextOutputStreamable))
        #expect(!(secret is any RawRepresentable))
    }

    @Test("what it is for can be asked without seeing it")
    func prefix() {
        #expect(Secret("public_live_x").hasPrefix("public_live_"))
        #expect(!Secret("secret_live_x").hasPrefix("public_live_"))
        #expect(Secret("abc").reveal { $0 } == Array("abc".utf8))
    }
}
