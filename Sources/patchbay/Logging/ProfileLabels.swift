import Configuration
import Crypto
import Relay

/// How a profile is shown in the log. Hashed, it can still be searched for: see `shortDigest`.
func profileLabel(_ style: LogConfiguration.Profiles) -> ProfileLabel {
    switch style {
    case .plain: { $0.value }
    case .none: { _ in "" }
    case .hashed:
        { profile in
            var text = profile.value
            return text.withUTF8 { shortDigest(UnsafeRawBufferPointer($0)) }
        }
    }
}

/// The first 16 digits of the SHA-256: `printf %s usr_1 | sha256sum | cut -c1-16`.
func shortDigest(_ bytes: UnsafeRawBufferPointer) -> String {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    let digest = hash.finalize()
    return String(unsafeUninitializedCapacity: 16) { digits in
        for (place, byte) in digest.prefix(8).enumerated() {
            digits[2 * place] = UInt8.hexDigits[Int(byte >> 4)]
            digits[2 * place + 1] = UInt8.hexDigits[Int(byte & 15)]
        }
        return 16
    }
}
