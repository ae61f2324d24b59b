import FoundationEssentials
import Relay

/// A JWT (RFC 7519) in its compact form, taken apart. Nothing of it is believed yet.
struct PresentedToken {
    /// A longer one is not looked at.
    static let mostBytes = 8192

    /// What the signature is of: header and payload as they came.
    let signed: ArraySlice<UInt8>
    let signature: [UInt8]
    let header: Header
    let claims: Claims

    /// Whether something could be a token: three parts with a dot between them each.
    static func isLike(_ text: ArraySlice<UInt8>) -> Bool { text.count { $0 == Self.dot } == 2 }

    /// - Throws: `malformedToken`, `tokenTooLong`, `algorithmNotAllowed` or `criticalHeader`.
    init(_ text: ArraySlice<UInt8>, allowing algorithms: Set<TokenAlgorithm>) throws(TokenFlaw) {
        guard text.count <= Self.mostBytes else { throw TokenFlaw(.tokenTooLong) }
        let parts = text.split(separator: Self.dot, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw TokenFlaw(.malformedToken) }
        header = try Header(parts[0], allowing: algorithms)
        guard let claims: Claims = Self.decode(parts[1]), let signature = Base64URL.decode(parts[2]) else {
            throw TokenFlaw(.malformedToken, header)
        }
        self.claims = claims
        self.signature = signature
        signed = text[..<parts[1].endIndex]
    }

    struct Header {
        let algorithm: TokenAlgorithm
        let keyID: String?

        /// `jku`, `jwk`, `x5u` and `x5c` bring keys of the sender's choice: nobody reads them here.
        private struct Fields: Decodable {
            let alg: String
            let kid: String?
            /// The contents do not matter: we know no extension.
            let crit: ClaimValue?
        }

        fileprivate init(_ part: ArraySlice<UInt8>, allowing algorithms: Set<TokenAlgorithm>) throws(TokenFlaw) {
            guard let fields: Fields = decode(part) else { throw TokenFlaw(.malformedToken) }
            keyID = fields.kid
            guard let algorithm = TokenAlgorithm(rawValue: fields.alg), algorithms.contains(algorithm) else {
                throw TokenFlaw(.algorithmNotAllowed, keyID: keyID)
            }
            self.algorithm = algorithm
            // RFC 7515 section 4.1.11: whoever does not understand all of it must refuse the token.
            guard fields.crit == nil else { throw TokenFlaw(.criticalHeader, self) }
        }
    }

    private static let dot = UInt8(ascii: ".")

    private static func decode<Value: Decodable>(_ part: ArraySlice<UInt8>) -> Value? {
        Base64URL.decode(part).flatMap { try? JSONDecoder().decode(Value.self, from: Data($0)) }
    }
}

/// What a token says. RFC 7519 section 4.
struct Claims: Decodable {
    private let values: [String: ClaimValue?]

    init(from decoder: any Decoder) throws {
        values = try decoder.singleValueContainer().decode([String: ClaimValue?].self)
    }

    /// A claim's value; nil where there is none, or null.
    subscript(name: String) -> ClaimValue? { values[name] ?? nil }
}

/// What may be needed of a claim.
enum ClaimValue: Decodable, Equatable {
    case text(String)
    /// A NumericDate. Never an id: a double does not keep the digits.
    case number(Double)
    case texts([String])
    case other

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let texts = try? value.decode([String].self) {
            self = .texts(texts)
        } else {
            self = .other
        }
    }
}

/// Why a token is not believed, for the log and never for the sender; and what was seen of it.
struct TokenFlaw: Error, Equatable {
    enum Reason: String, CaseIterable {
        case tokenTooLong = "token_too_long"
        case malformedToken = "malformed_token"
        case algorithmNotAllowed = "algorithm_not_allowed"
        case criticalHeader = "critical_header"
        case wrongIssuer = "wrong_issuer"
        case wrongAudience = "wrong_audience"
        case unknownKey = "unknown_key"
        case wrongSignature = "wrong_signature"
        case noExpiry = "no_expiry"
        case tokenExpired = "token_expired"
        case tokenNotYetValid = "token_not_yet_valid"
        /// A time that is no number.
        case badTime = "bad_time"
        case noProfile = "no_profile"
        case badProfile = "bad_profile"
    }

    let reason: Reason
    var evidence = Evidence()

    init(_ reason: Reason, keyID: String? = nil) {
        self.reason = reason
        evidence.keyID = keyID.map(Self.shown)
    }

    init(_ reason: Reason, _ header: PresentedToken.Header) {
        self.init(reason, keyID: header.keyID)
    }

    /// A stranger wrote it, and it goes to the log: what is printable, and not much of it.
    private static func shown(_ keyID: String) -> String {
        String(decoding: keyID.utf8.prefix(64).map { $0 > 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
