import Foundation

/// The working copy: seeds are read from where the samples of the other tests stand.
struct Repository: Sendable {
    private let root = URL(filePath: #filePath).appending(path: "../../../..").standardized

    /// The files of a folder whose names end so, in alphabetical order.
    func files(in folder: String, _ suffixes: String...) throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
            .filter { name in suffixes.contains { name.hasSuffix($0) } }
            .map { ($0, try file("\(folder)/\($0)")) }
    }

    func file(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: root.appending(path: path)))
    }

    /// Inputs that were findings once.
    func findings(of fuzzer: String) -> [[UInt8]] {
        ((try? files(in: "Tests/Fuzzers/Findings/\(fuzzer)", "")) ?? []).map(\.bytes)
    }
}
