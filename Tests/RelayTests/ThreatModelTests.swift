import Foundation
import Testing

@Suite("The threat model")
struct ThreatModelTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Its rows: threat, what is done, code, test.
    private static func rows() throws -> [[String]] {
        try text("Sources/Relay/Relay.docc/ThreatModel.md").split(separator: "\n").filter { $0.hasPrefix("|") }
            .dropFirst(2)
            .map { row in
                row.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `\"")) }
            }
    }

    @Test("every file that it names is there")
    func files() throws {
        let rows = try Self.rows()
        #expect(rows.count >= 20)
        for row in rows {
            let code = try #require(row.count == 4 ? row[2] : nil, "\(row)")
            #expect(FileManager.default.fileExists(atPath: Self.root.appendingPathComponent(code).path), "\(code)")
        }
    }

    @Test("every test that it names is there")
    func tests() throws {
        let folder = Self.root.appendingPathComponent("Tests")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        var all = ""
        for case let file as URL in files where file.pathExtension == "swift" {
            if file.lastPathComponent != "ThreatModelTests.swift" {
                all += try String(contentsOf: file, encoding: .utf8)
            }
        }
        for row in try Self.rows() { #expect(all.contains("\"\(row.last ?? "")\""), "\(row.last ?? "")") }
    }
}
