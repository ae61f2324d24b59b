package import Relay

/// HTTP Basic (RFC 7617): `Authorization: Basic` and `user:password` in base64. The two are one secret here.
package struct BasicScheme: Scheme {
    private let credentials: KnownSecrets

    /// - Parameter credentials: `user:password` each; every one of them is valid.
    package init(_ credentials: [Secret]) {
        self.credentials = KnownSecrets(credentials)
    }

    package var challenge: String { #"Basic realm="patchbay", charset="UTF-8""# }

    package var secretCount: Int { credentials.count }

    package func verify(_ request: inout Request, _ proof: inout Proof) -> Verdict {
        switch request.headers.single("authorization") {
        case .absent: return .refused(.noCredential, credentials.expectation)
        case .present(let value):
            guard let encoded = value.behind("Basic "), let presented = ByteEncoding.base64.decode(encoded) else {
                fallthrough
            }
            return credentials.judge(presented[...], &proof)
        case .repeated: return .refused(.malformedCredential, credentials.expectation)
        }
    }
}
