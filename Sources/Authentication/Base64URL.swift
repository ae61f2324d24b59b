import Relay

/// RFC 4648 section 5 without padding, as RFC 7515 has it.
enum Base64URL {
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        text.contains(UInt8(ascii: "=")) ? nil : ByteEncoding.base64url.decode(text)
    }
}
