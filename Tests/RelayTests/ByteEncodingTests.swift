import Testing

@testable import Relay

@Suite("Bytes as text")
struct ByteEncodingTests {
    @Test(
        "the test vectors of RFC 4648 section 10",
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ])
    func vectors(encoded: String, decoded: String) {
        #expect(ByteEncoding.base64.decode(encoded.utf8) == Array(decoded.utf8))
    }

    @Test("all digits are read")
    func digits() {
        #expect(ByteEncoding.base64.decode("+/+/".utf8) == [0xfb, 0xff, 0xbf])
        #expect(ByteEncoding.base64.decode("AZaz09+/".utf8) == [0x01, 0x96, 0xb3, 0xd3, 0xdf, 0xbf])
    }

    @Test(
        "one value has one spelling",
        arguments: ["Zg", "Zg=", "Z===", "====", "=", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm-_", "Z=9v", "Zm8=Zm8="])
    func strict(encoded: String) {
        #expect(ByteEncoding.base64.decode(encoded.utf8) == nil)
    }

    @Test(
        "the URL alphabet needs no padding, and takes the right one",
        arguments: [
            ("-_-_", [0xfb, 0xff, 0xbf]), ("Zg", [0x66]), ("Zg==", [0x66]), ("Zm8", [0x66, 0x6f]), ("", []),
            ("Zg=", nil), ("Z", nil), ("A", nil), ("+/+/", nil), ("Zh", nil), ("=", nil), ("====", nil),
        ] as [(String, [UInt8]?)])
    func url(encoded: String, bytes: [UInt8]?) {
        #expect(ByteEncoding.base64url.decode(encoded.utf8) == bytes)
    }

    @Test(
        "hexadecimal digits come in pairs",
        arguments: [
            ("00fF", [0x00, 0xff]), ("", []), ("0", nil), ("0g", nil), ("0x00", nil), (" 00", nil),
        ] as [(String, [UInt8]?)])
    func hex(encoded: String, bytes: [UInt8]?) {
        #expect(ByteEncoding.hex.decode(encoded.utf8) == bytes)
        if let bytes { #expect(bytes.hexText == encoded.lowercased()) }
    }
}
