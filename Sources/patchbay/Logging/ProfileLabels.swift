import Configuration
import Crypto
import Relay

/// How a profile is shown in the log. Hashed, it can still be searched for: the first 16 digits of its SHA-256.
func profileLabel(_ style: LogConfiguration.Profiles) -> ProfileLabel {
    switch style {
    case .plain: { $0.value }
    case .none: { _ in "" }
    case .hashed:
        { profile in
            var hash = SHA256()
            var text = profile.value
            text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
            let digest = hash.finalize()
            return String(unsafeUninitializedCapacity: 16) { digits in
                for (place, byte) in digest.prefix(8).enumerated() {
                    digits[2 * place] = UInt8.hex(byte >> 4)
                    digits[2 * place + 1] = UInt8.hex(byte & 15)
                }
                return 16
            }
        }
    }
}

extension UInt8 {
    fileprivate static func hex(_ digit: UInt8) -> UInt8 { hexDigits[Int(digit)] }
}
