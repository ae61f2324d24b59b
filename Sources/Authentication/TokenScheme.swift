package import Relay

/// A fixed token in the query or the path, for vendors that can only be given a URL, or in a header, for those that can
/// be given one.
package struct TokenScheme: Scheme {
    package enum Place: Sendable, Equatable {
        /// A parameter of this name.
        case query(String)
        /// What follows the source's name: `/hooks/{source}/{token}`. For vendors that take a URL without a query.
        case path
        /// The field of this name; the token stands behind `prefix`, such as `Bearer `, whose letter case does not
        /// matter.
        case header(String, prefix: String)
    }

    private let tokens: KnownSecrets
    private let place: Place
    /// The parameter's name, where it stands in one.
    private let parameter: [UInt8]

    /// - Parameter tokens: each of them is valid; more than one while they are being rotated.
    package init(_ tokens: [Secret], in place: Place) {
        self.tokens = KnownSecrets(tokens)
        self.place = place
        parameter = if case .query(let name) = place { Array(name.utf8) } else { [] }
    }

    package var challenge: String { "Token" }

    package var secretCount: Int { tokens.count }

    package func verify(_ request: inout Request, _ proof: inout Proof) -> Verdict {
        switch place {
        case .query:
            let presented = QueryText.take(parameter, from: &request.query)
            // Which of two would count is a question that an attacker should not get to ask.
            guard presented.count < 2 else { return .refused(.malformedCredential, tokens.expectation) }
            return judge(presented.first, &proof)
        case .path:
            return judge(PathText.takeToken(from: &request.path), &proof)
        case .header(let name, let prefix):
            switch request.headers.single(named: name) {
            case .absent: return .refused(.noCredential, tokens.expectation)
            case .present(let value):
                guard let token = value.behind(prefix) else { fallthrough }
                return judge(token, &proof)
            case .repeated: return .refused(.malformedCredential, tokens.expectation)
            }
        }
    }

    private func judge(_ presented: ArraySlice<UInt8>?, _ proof: inout Proof) -> Verdict {
        guard let presented, !presented.isEmpty else {
            return .refused(.noCredential, tokens.expectation)
        }
        return tokens.judge(presented, &proof)
    }
}
