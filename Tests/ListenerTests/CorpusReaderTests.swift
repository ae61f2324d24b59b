import Listener
import Relay
import Testing

/// The corpus against the reader alone. What it comes to must not depend on how the bytes were cut on their way.
@Suite("The reader and the corpus")
struct CorpusReaderTests {
    /// The statuses of all final answers, and whether the connection ends with the last.
    struct Outcome: Equatable {
        var statuses: [Int] = []
        var closes = false
    }

    @Test("the corpus is whole")
    func corpusIsWhole() {
        #expect(CorpusCase.all.count == 141)
    }

    @Test("a case fed whole gets what the corpus asks for", arguments: CorpusCase.all)
    func whole(_ corpusCase: CorpusCase) throws {
        let bytes = try corpusCase.bytes()
        judge(outcome(of: [bytes[...]]), corpusCase)
    }

    @Test("a case fed byte by byte comes to the same", arguments: CorpusCase.all)
    func byteByByte(_ corpusCase: CorpusCase) throws {
        let bytes = try corpusCase.bytes()
        // Long ones differ only in how much of the same they repeat.
        let singles = bytes.prefix(20_000).indices.map { bytes[$0...$0] }
        #expect(outcome(of: singles + [bytes.dropFirst(20_000)]) == outcome(of: [bytes[...]]))
    }

    @Test("a case cut at random places comes to the same", arguments: CorpusCase.all)
    func random(_ corpusCase: CorpusCase) throws {
        let bytes = try corpusCase.bytes()
        let expected = outcome(of: [bytes[...]])
        var generator = SplitMix(seed: 0x5eed)
        for _ in 0..<(bytes.count < 10_000 ? 20 : 3) {
            var pieces: [ArraySlice<UInt8>] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...max(1, min(rest.count, 200)), using: &generator)
                pieces.append(pieces.count < 500 ? rest.prefix(count) : rest)
                rest = pieces.count <= 500 ? rest.dropFirst(count) : []
            }
            #expect(outcome(of: pieces) == expected)
        }
    }

    private func outcome(of pieces: [ArraySlice<UInt8>]) -> Outcome {
        var reader = RequestReader(limits: RequestLimits())
        var outcome = Outcome()
        for piece in pieces where !outcome.closes {
            piece.withUnsafeBytes { reader.append($0) }
            read: while !outcome.closes {
                switch reader.next() {
                case .needMore: break read
                case .expectation: continue
                case .request(let head, let body, _):
                    let request = Request(
                        method: head.method, path: head.path, query: head.query, headers: head.headers, body: body)
                    outcome.statuses.append(CorpusServer().answer(to: request).status)
                    outcome.closes = !head.isPersistent
                case .failure(let failure):
                    outcome.statuses.append(failure.refusal.status)
                    outcome.closes = failure.closes
                }
            }
        }
        return outcome
    }

    private func judge(_ outcome: Outcome, _ corpusCase: CorpusCase) {
        #expect(outcome.statuses.count <= corpusCase.answers.upperBound, "a request was smuggled in")
        let isAccepted = outcome.statuses.first.map { (200..<300).contains($0) } ?? false
        switch corpusCase.verdict {
        case .mustAccept:
            #expect(isAccepted)
            #expect(outcome.statuses.count >= corpusCase.answers.lowerBound)
        case .mustReject:
            #expect(!isAccepted)
        case .either: break
        }
        // What was not answered is still waited for, and ends with its deadline.
        if corpusCase.mustClose, !outcome.statuses.isEmpty { #expect(outcome.closes) }
    }
}

/// A generator whose numbers are the same in every run. Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators".
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
