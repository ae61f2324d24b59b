import Foundation
import Testing

/// One case of `Corpus/expect.tsv`: raw bytes, and what every server must make of them.
struct CorpusCase: Sendable, CustomTestStringConvertible {
    enum Verdict: String {
        case mustAccept = "must-accept"
        case mustReject = "must-reject"
        case either
    }

    let name: String
    let verdict: Verdict
    /// How many final answers there may be: one more would be to a request that was smuggled in.
    let answers: ClosedRange<Int>
    let mustClose: Bool
    /// The methods of the requests, where they are not all POST: an answer to HEAD has no body.
    let methods: [String]
    let reference: String
    let note: String

    var testDescription: String { "\(name) (\(reference)) \(note)" }

    static let path = "/hooks/x"
    static let validBody = #"{"app":"a1","profile":"p1","event":"ping","n":1}"#

    static let all: [CorpusCase] = {
        guard let table = try? String(contentsOf: folder.appending(path: "expect.tsv"), encoding: .utf8) else {
            return []
        }
        return table.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard columns.count == 8, let verdict = Verdict(rawValue: columns[1]), let least = Int(columns[2]),
                let most = Int(columns[3])
            else { return nil }
            return CorpusCase(
                name: columns[0], verdict: verdict, answers: least...most, mustClose: columns[4] == "must",
                methods: columns[5] == "-" ? [] : columns[5].components(separatedBy: ","), reference: columns[6],
                note: columns[7])
        }
    }()

    /// The request that every server takes.
    static func valid(host: String = "127.0.0.1:8080") throws -> [UInt8] {
        try expand(Array(Data(contentsOf: folder.appending(path: "001-valid-cl.raw"))), host: host)
    }

    func bytes(host: String = "127.0.0.1:8080") throws -> [UInt8] {
        try Self.expand(Array(Data(contentsOf: Self.folder.appending(path: "\(name).raw"))), host: host)
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpus")

    /// Replaces `@PATH@`, `@REP:text:count@` and so on, as `run_corpus.py` does. Through Latin-1, which keeps every
    /// byte.
    private static func expand(_ raw: [UInt8], host: String) throws -> [UInt8] {
        var text = try #require(String(bytes: raw, encoding: .isoLatin1))
        let repetition = try Regex(#"@REP:(?<text>[\s\S]*?):(?<count>\d+)@"#).matchingSemantics(.unicodeScalar)
        text.replace(repetition) { match in
            String(repeating: String(match["text"]?.substring ?? ""), count: Int(match["count"]?.substring ?? "") ?? 0)
        }
        let length = validBody.utf8.count
        text.replace(try Regex(#"@CLEN\+(?<more>\d+)@"#)) { match in
            String(length + (Int(match["more"]?.substring ?? "") ?? 0))
        }
        for (name, value) in [
            ("@PATH@", path), ("@HOST@", host), ("@CLEN@", String(length)), ("@XLEN@", String(length, radix: 16)),
            ("@EXTRA@", ""), ("@BODY@", validBody),
        ] {
            text = text.replacingOccurrences(of: name, with: value)
        }
        return Array(try #require(text.data(using: .isoLatin1)))
    }
}
