import Crypto
package import Relay

/// A signature over what was sent, as its template says: HMAC or Ed25519, one key or several.
///
/// What is wrong with a signature is for the log. Its sender hears the same of all of it, and the body is hashed with
/// every key whatever the earlier ones came to.
package struct SignatureScheme: Scheme {
    private let template: SignatureTemplate
    private let verifiers: [(place: Int, verifier: SignatureVerifier)]
    package let secretCount: Int

    /// A rotation needs two. More than this is somebody who wants us to calculate.
    private static let mostSignatures = 16

    /// - Parameter keys: each of them is valid; more than one while they are being rotated. What is no key is left out,
    ///   and proves nothing.
    package init(_ template: SignatureTemplate, keys: [SignatureKey]) {
        self.template = template
        secretCount = keys.count
        verifiers = keys.enumerated().compactMap { index, key in SignatureVerifier(key).map { (index + 1, $0) } }
    }

    package var challenge: String { "Signature" }

    package func verify(_ request: inout Request, _ proof: inout Proof) -> Verdict {
        judge(request) { claim, text in
            var place = 0
            for (known, verifier) in verifiers.reversed() {
                let matches = verifier.matches(among: claim.signatures(for: verifier), over: text)
                place = matches > 0 ? known : place
            }
            guard place > 0 else { return false }
            proof.place = place
            proof.message = message(claim, in: request)
            return true
        }
    }

    /// What was signed, once that is proved. Nil where no time was: then a copy cannot be told from another event that
    /// says the same.
    ///
    /// The sender's own name of it counts only together with what it says: one that names all its messages the same
    /// would otherwise be heard once. Where it gives none, the time stands for it.
    private func message(_ claim: Claim, in request: Request) -> SignedMessage? {
        guard let place = template.timestamp, template.signed.pieces.contains(.timestamp), let time = claim.time else {
            return nil
        }
        var hash = SHA256()
        if let name = template.messageID, template.signed.pieces.contains(.header(name)) {
            for value in request.headers.values(named: name) { hash.update(data: value) }
        } else {
            hash.update(data: claim.timestamp)
        }
        // No blank or line's end stands in a query.
        for part in ["\n", request.path, " ", request.query, "\n"] { hash.update(data: Array(part.utf8)) }
        hash.update(data: request.sentBody)
        return SignedMessage(time: time, id: MessageDigest(hash.finalize()), tolerance: place.tolerance)
    }

    /// All but the signature itself, which only the body can prove.
    package func recognize(_ head: inout Request) -> Verdict {
        judge(head) { _, _ in true }
    }

    private func judge(_ request: Request, isGenuine: (Claim, [UInt8]) -> Bool) -> Verdict {
        var evidence = Evidence()
        evidence.expectedBytes = Array(Set(verifiers.map(\.verifier.signatureBytes))).sorted()
        do throws(Verdict.Reason) {
            let claim = try claim(of: request, &evidence)
            guard let text = template.signed.bytes(of: request, timestamp: claim.timestamp) else {
                throw .malformedCredential
            }
            guard isGenuine(claim, text) else { throw .wrongSignature }
            return .genuine
        } catch {
            return .refused(error, evidence)
        }
    }

    // MARK: - What the head claims

    private struct Claim {
        /// What each prefix stands before, decoded.
        var signatures: [(prefix: String, bytes: [UInt8])] = []
        var timestamp: ArraySlice<UInt8> = []
        /// The same, read.
        var time: Timestamp?

        func signatures(for verifier: SignatureVerifier) -> [[UInt8]] {
            signatures.filter { $0.prefix == verifier.prefix }.map(\.bytes)
        }
    }

    private func claim(of request: Request, _ evidence: inout Evidence) throws(Verdict.Reason) -> Claim {
        let fields = request.headers.values(named: template.header)
        guard let field = fields.first else { throw .noCredential }
        // Which of two would count is a question that an attacker should not get to ask.
        guard fields.count == 1 else { throw .malformedCredential }
        var claim = Claim()
        claim.signatures = try signatures(in: field, &evidence)
        if let place = template.timestamp {
            claim.timestamp = try timestamp(at: place, in: request)
            guard let time = Timestamp(unix: claim.timestamp) else { throw .malformedCredential }
            claim.time = time
            let skew = time - request.received
            evidence.skew = skew
            evidence.tolerance = place.tolerance
            if skew > place.tolerance { throw .fromTheFuture }
            if skew < .zero - place.tolerance { throw .stale }
        }
        return claim
    }

    /// Those that can be right: of a kind that there is a key for, and of its length.
    private func signatures(
        in field: ArraySlice<UInt8>, _ evidence: inout Evidence
    ) throws(Verdict.Reason) -> [(prefix: String, bytes: [UInt8])] {
        evidence.presentedBytes = field.count
        var lengths: [String: Set<Int>] = [:]
        for (_, verifier) in verifiers { lengths[verifier.prefix, default: []].insert(verifier.signatureBytes) }
        var signatures: [(prefix: String, bytes: [UInt8])] = []
        for entry in field.split(at: template.separator) {
            for (prefix, lengths) in lengths {
                guard let text = entry.behind(prefix), let bytes = template.encoding.decode(text.trimmingBlanks) else {
                    continue
                }
                evidence.presentedBytes = bytes.count
                if lengths.contains(bytes.count) { signatures.append((prefix, bytes)) }
            }
        }
        guard (1...Self.mostSignatures).contains(signatures.count) else { throw .malformedCredential }
        return signatures
    }

    /// As it was sent; there must be exactly one.
    private func timestamp(
        at place: SignatureTemplate.TimestampPlace, in request: Request
    ) throws(Verdict.Reason) -> ArraySlice<UInt8> {
        let fields = request.headers.values(named: place.header)
        guard let field = fields.first, fields.count == 1 else { throw .malformedCredential }
        guard let parameter = place.parameter else { return field }
        let values = field.split(at: template.separator).compactMap { $0.behind(parameter + "=") }
        guard let value = values.first, values.count == 1 else { throw .malformedCredential }
        return value
    }
}

extension SignedText {
    /// The bytes that were signed. Nil where a header that is part of them does not stand there exactly once.
    func bytes(of request: Request, timestamp: ArraySlice<UInt8>) -> [UInt8]? {
        if pieces == [.body] { return request.sentBody }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(request.sentBody.count + 128)
        for piece in pieces {
            switch piece {
            case .literal(let text): bytes += text
            case .body: bytes += request.sentBody
            case .timestamp: bytes += timestamp
            case .method: bytes += request.method.rawValue.utf8
            case .path: bytes += request.path.utf8
            case .query: bytes += request.query.utf8
            case .header(let name):
                let values = request.headers.values(named: name)
                guard let value = values.first, values.count == 1 else { return nil }
                bytes += value
            }
        }
        return bytes
    }
}

extension Timestamp {
    /// Unix time as senders write it: seconds, or milliseconds where there are twelve digits or more (as seconds those
    /// would be past the year 5000).
    fileprivate init?(unix text: ArraySlice<UInt8>) {
        guard (1...15).contains(text.count), text.allSatisfy(\.isDigit) else { return nil }
        let number = text.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        self.init(milliseconds: text.count >= 12 ? number : number * 1000)
    }
}

extension ArraySlice<UInt8> {
    /// The parts between separators, without the blanks around them.
    fileprivate func split(at separator: String) -> [ArraySlice<UInt8>] {
        let separator = Array(separator.utf8)
        guard let first = separator.first else { return [trimmingBlanks] }
        var parts: [ArraySlice<UInt8>] = []
        var start = startIndex
        var index = startIndex
        while index < endIndex {
            if self[index] == first, self[index...].starts(with: separator) {
                parts.append(self[start..<index].trimmingBlanks)
                index += separator.count
                start = index
            } else {
                index += 1
            }
        }
        parts.append(self[start...].trimmingBlanks)
        return parts
    }

    fileprivate var trimmingBlanks: ArraySlice<UInt8> {
        var rest = drop(while: \.isBlank)
        while let last = rest.last, last.isBlank { rest.removeLast() }
        return rest
    }
}
